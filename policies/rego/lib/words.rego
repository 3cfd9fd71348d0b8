# Lengths of time and numbers of things, as people read them. Tests of assertions may import this too.
package secgate.lib.words

# The same words as secgate.sla.length_words: the two largest units, rounded down, without a zero.
length(seconds) := two(floor(seconds / 86400), "d", floor((seconds % 86400) / 3600), "h") if {
	seconds >= 172800
} else := two(floor(seconds / 3600), "h", floor((seconds % 3600) / 60), "min") if {
	seconds >= 3600
} else := two(floor(seconds / 60), "min", seconds % 60, "s") if {
	seconds >= 60
} else := sprintf("%d s", [seconds])

two(many, unit, few, small) := sprintf("%d %s %d %s", [many, unit, few, small]) if {
	few > 0
} else := sprintf("%d %s", [many, unit])

# `1 gap`, `2 gaps`.
counted(number, noun) := sprintf("%d %s", [number, noun]) if {
	number == 1
} else := sprintf("%d %ss", [number, noun])
