# A change may propose another gate; it is judged by the one that stands. What it edits is said, never obeyed.
package secgate.rules.gate_changes

warn contains {
	"run": true,
	"reason": sprintf("the change edits the gate, and is judged without that edit: %s", [path]),
	"remedy": "have the edit reviewed by an owner of the gate",
} if {
	some path in input.gate_changes
}
