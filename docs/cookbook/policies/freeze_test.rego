package secgate.tests.freeze

import data.secgate.rules.freeze.deny
import data.secgate.tests.facts

first := data.freeze.windows["end of year"][0]

end := data.freeze.windows["end of year"][1]

frozen(scope, at) if {
	found := deny with input as facts.document({"scope": scope}, {"evaluated_at_epoch_s": at})
	count(found) == 1
}

test_denies if frozen("protected", first + facts.day)

test_allows_a_pull_request if not frozen("change", first + facts.day)

test_boundary_of_the_first_second if {
	not frozen("protected", first - 1)
	frozen("protected", first)
}

test_boundary_of_the_last_second if {
	frozen("protected", end - 1)
	not frozen("protected", end)
}
