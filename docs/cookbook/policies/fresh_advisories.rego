# A release knows the vulnerabilities of today
#
# Seven days are allowed as shipped. For the profile `release` this asks for one, and says no where dependencies were
# judged without any advisories.
package secgate.rules.fresh_advisories

deny contains {"run": true, "reason": "no advisories were used", "remedy": remedy} if {
	remedy := "run `secgate advisories update`"
	releasing
	not input.advisories.used
}

deny contains {"run": true, "reason": "the advisories are older than a release allows", "remedy": remedy} if {
	remedy := "run `secgate advisories update`"
	releasing
	input.advisories.used
	input.advisories.age_s > data.fresh.release_s
}

releasing if {
	input.run.profile == "release"
	some account in input.lanes
	account.lane == "dependencies"
	account.needed
}
