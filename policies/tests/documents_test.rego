package secgate.tests.documents

import data.secgate.rules.documents
import data.secgate.tests.facts

said(word) := facts.document({}, {"documents": [{
	"layer": "organisation", "rule": "main.deny", "word": word, "path": "deploy/app.yaml", "message": "no limits",
}]})

test_deny_names_file_message_and_rule if {
	found := documents.deny with input as said("deny")
	{one.reason | some one in found} == {"deploy/app.yaml: no limits [main.deny]"}
}

test_allow_what_only_warns if {
	count(documents.deny) == 0 with input as said("warn")
	count(documents.warn) == 1 with input as said("warn")
}

test_what_could_not_be_read_is_unsure if {
	count(documents.inconclusive) == 1 with input as said("unread")
	count(documents.deny) == 0 with input as said("unread")
}

test_allow_silence if {
	count(documents.deny) == 0 with input as facts.document({}, {})
	count(documents.inconclusive) == 0 with input as facts.document({}, {})
}
