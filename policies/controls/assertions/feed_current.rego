# Components are judged by advisories of the last days.
package secgate.assertions.feed_current

import data.secgate.lib.words

deviation contains {"item": u.id, "exception": "feed_missing", "detail": "nothing says how new its advisories were"} if {
	some u in input.items
	u.data_epoch_s == 0
}

deviation contains {"item": u.id, "exception": "feed_too_old", "detail": detail} if {
	some u in input.items
	u.data_epoch_s > 0
	age := u.evaluated_epoch_s - u.data_epoch_s
	age > input.params.limit_days * 86400
	more := words.length(age - (input.params.limit_days * 86400))
	detail := sprintf("its advisories were %s older than the %d days that are allowed", [more, input.params.limit_days])
}
