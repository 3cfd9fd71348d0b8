package secgate.tests.public_storage

import data.secgate.rules.public_storage.deny
import data.secgate.tests.facts

denied(changes) if {
	public := {"lane": "iac", "weakness": "public-storage"}
	found := deny with input as facts.document({}, {"findings": [facts.finding(object.union(public, changes))]})
	count(found) == 1
}

test_denies_elsewhere if denied({"path": "infra/data/main.tf"})

test_allows_the_website if not denied({"path": "infra/website/main.tf"})

test_allows_another_weakness if not denied({"path": "infra/data/main.tf", "weakness": "missing-logging"})

test_boundary_of_the_folder if denied({"path": "infra/website.tf"})
