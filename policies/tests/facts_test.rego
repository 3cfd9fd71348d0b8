# Documents for the tests of the rules: total like the real ones, with a few fields replaced.
package secgate.tests.facts

now := 1767225600

day := 86400

finding(changes) := object.union(
	{
		"fingerprint": "f1",
		"lane": "sast",
		"weakness": "sql-injection",
		"cwes": [89],
		"severity": "high",
		"score_x10": 80,
		"severity_basis": "tool",
		"confidence": "high",
		"path": "app/views.py",
		"symbol": "show",
		"line": 12,
		"path_class": "",
		"state": "unchanged",
		"touched": false,
		"scanners": ["semgrep"],
		"witnesses": 1,
		"advisories": [],
		"package": {
			"ecosystem": "", "name": "", "version": "", "direct": false, "development": false,
			"fix_available": false, "fixed_versions": [],
		},
		"fix_available": false,
		"secret": false,
		"in_history": false,
		"suppressed_in_source": false,
		"in_source": {"comments": [], "names_rules": false, "reason": ""},
		"first_seen_known": false,
		"first_seen_epoch_s": 0,
		"risen": false,
		"seconds_open": 0,
		"waiver": {
			"state": "none", "kind": "none", "id": "", "requester": "", "approver": "",
			"expires_epoch_s": 0,
		},
		"baseline": {
			"listed": false, "id": "", "author": "", "date_epoch_s": 0, "severity": "info", "limit_s": 0,
		},
		"downgrade": downgrade({}),
		"known_exploited": {"listed": false, "listed_epoch_s": 0},
		"epss_ppm": 0,
		"automatable": "unknown",
		"impact": "unknown",
		"exposure": "unknown",
		"owner": "",
		"obligations": [],
	},
	changes,
)

obligation(changes) := object.union(
	{
		"basis": "severity:high", "start_epoch_s": now, "limit_s": 604800, "superseded": false,
		"superseded_by": "",
	},
	changes,
)

downgrade(changes) := object.union(
	{
		"state": "none", "id": "", "severity": "info", "from_severity": "info", "requester": "", "approver": "",
		"approved_epoch_s": 0, "expires_epoch_s": 0, "ended_epoch_s": 0,
	},
	changes,
)

lane(changes) := object.union(
	{
		"lane": "sast", "asked": true, "needed": true, "offered": 3, "covered": 3, "failed": 0,
		"unsupported": 0, "gaps_total": 0, "gaps_touched": 0, "gaps_older": 0, "gaps_waived": 0,
		"tools_ran": ["semgrep"], "tools_failed": [],
	},
	changes,
)

gap(changes) := object.union(
	{
		"id": "gap-1", "lane": "sast", "path": "app/broken.py", "tool": "semgrep",
		"reason": "parse-error", "remedy": "correct the syntax", "touched": false, "waived": false, "profile": "",
	},
	changes,
)

advisories(changes) := object.union(
	{
		"used": false, "age_s": 0, "digest": "",
		"known_exploited": {"used": false, "age_s": 0, "digest": ""},
		"epss": {"used": false, "age_s": 0, "digest": "", "model": "", "scored_epoch_s": 0},
	},
	changes,
)

# A run whose facts are as given; `changes` are those of `run`.
document(changes, parts) := object.union(
	{
		"schema": {"name": "secgate/input", "version": 1},
		"evaluated_at_epoch_s": now,
		"run": object.union(
			{
				"scope": "change", "kind": "git", "repository": "shop", "profile": "pull-request",
				"mode": "enforce", "event": "", "provider": "", "ref": "", "line": "main", "commit": "c",
				"dirty": false, "has_base": true, "changed_set": "some", "provisional_clocks": false,
				"complete": true, "claims_coverage": true, "author": "", "actor": "", "reviewers": [],
				"artifacts": [],
			},
			changes,
		),
		"lanes": [lane({})],
		"gaps": [],
		"findings": [],
		"gate_changes": [],
		"advisories": advisories({}),
		"documents": [],
	},
	parts,
)
