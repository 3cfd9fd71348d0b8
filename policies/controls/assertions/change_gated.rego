# Before every deployment the gate looked at what was deployed, and let it pass. The last run before it counts.
package secgate.assertions.change_gated

import data.secgate.lib.words

deviation contains {"item": d.id, "exception": "no_run", "detail": "no run looked at this artefact, commit or tree"} if {
	some d in input.items
	count(d.runs) == 0
}

deviation contains {"item": d.id, "exception": "run_after_deployment", "detail": detail} if {
	some d in input.items
	count(d.runs) > 0
	count(before(d)) == 0
	detail := sprintf("after it was deployed: %s looked at it, none before", [words.counted(count(d.runs), "run")])
}

deviation contains {"item": d.id, "exception": "digest_mismatch", "about": about, "detail": detail} if {
	some d in input.items
	some r in last(d)
	r.same_artifact == "no"
	about := r.run_id
	detail := sprintf("run %s looked at the same %s and bound other artefacts", [r.run_id, r.by])
}

# What was deployed was built from a commit that a run looked at, and the list says another one.
deviation contains {"item": d.id, "exception": "source_mismatch", "detail": detail} if {
	some d in input.items
	built := {r | some r in before(d); r.by == "artifact"}
	count(built) > 0
	every r in built {
		r.same_source == "no"
	}
	names := concat(", ", sort({r.run_id | some r in built}))
	detail := sprintf("its artefact was built from another commit than it names: run %s", [names])
}

deviation contains {"item": d.id, "exception": "blocked_and_not_overridden", "about": about, "detail": detail} if {
	some d in input.items
	some r in last(d)
	not r.outcome in {"pass", "inconclusive", ""}
	r.override != "counts"
	about := r.run_id
	detail := sprintf("run %s: %s", [r.run_id, r.outcome])
}

deviation contains {"item": d.id, "exception": "inconclusive_and_not_overridden", "about": about, "detail": detail} if {
	some d in input.items
	some r in last(d)
	r.outcome in {"inconclusive", ""}
	r.override != "counts"
	about := r.run_id
	detail := sprintf("run %s could not tell", [r.run_id])
}

before(d) := {r | some r in d.runs; r.decided_epoch_s <= d.deployed_epoch_s}

last(d) := {r |
	latest := max({r.decided_epoch_s | some r in before(d)})
	some r in before(d)
	r.decided_epoch_s == latest
}
