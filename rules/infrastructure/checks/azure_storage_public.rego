package secgate.infrastructure.azure_storage_public

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AZURE-STORAGE-PUBLIC",
	"title": "Storage open to everyone",
	"weakness": "public-storage",
	"cwes": [732],
	"severity": "high",
	"score": 8.2,
	"confidence": "high",
	"remedy": "Keep containers private and give access by signed addresses or roles.",
}

result contains found if {
	some r in lib.of("azurerm_storage_container")
	lib.attr(r, "container_access_type") in {"blob", "container"}
	found := lib.at(r, "container_access_type", sprintf("access is `%s`", [lib.attr(r, "container_access_type")]))
}

result contains found if {
	some r in lib.of("azurerm_storage_account")
	some name in ["allow_blob_public_access", "allow_nested_items_to_be_public"]
	lib.yes(lib.attr(r, name))
	found := lib.at(r, name, "public containers are allowed")
}
