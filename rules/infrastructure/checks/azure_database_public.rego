package secgate.infrastructure.azure_database_public

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AZURE-DATABASE-PUBLIC",
	"title": "Data service with a public address",
	"weakness": "public-network-exposure",
	"cwes": [284],
	"severity": "high",
	"score": 7.1,
	"confidence": "high",
	"remedy": "Switch public network access off and use a private endpoint.",
}

types := [
	"azurerm_mssql_server",
	"azurerm_mysql_server",
	"azurerm_mysql_flexible_server",
	"azurerm_postgresql_server",
	"azurerm_postgresql_flexible_server",
	"azurerm_mariadb_server",
	"azurerm_redis_cache",
	"azurerm_cosmosdb_account",
	"azurerm_key_vault",
]

result contains found if {
	some r in lib.of_any(types)
	lib.yes(lib.attr(r, "public_network_access_enabled"))
	found := lib.at(r, "public_network_access_enabled", "it is reachable from the internet")
}
