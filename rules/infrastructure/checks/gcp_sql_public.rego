package secgate.infrastructure.gcp_sql_public

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-CLOUD-SQL-OPEN",
	"title": "Database server open to every address",
	"weakness": "public-network-exposure",
	"cwes": [284],
	"severity": "high",
	"score": 8.6,
	"confidence": "high",
	"remedy": "Use a private address, or name the networks that need it.",
}

result contains found if {
	some r in lib.of("google_sql_database_instance")
	some settings in lib.blocks(r.attributes, "settings")
	some config in lib.blocks(settings.value, "ip_configuration")
	some network in lib.blocks(config.value, "authorized_networks")
	lib.anywhere(object.get(network.value, "value", null))
	found := lib.at(r, "settings", "every address is an authorised network")
}

firewalls := [
	"azurerm_sql_firewall_rule",
	"azurerm_mssql_firewall_rule",
	"azurerm_mysql_firewall_rule",
	"azurerm_mysql_flexible_server_firewall_rule",
	"azurerm_postgresql_firewall_rule",
	"azurerm_postgresql_flexible_server_firewall_rule",
	"azurerm_mariadb_firewall_rule",
	"azurerm_redis_firewall_rule",
]

result contains found if {
	some r in lib.of_any(firewalls)
	some pair in [["start_ip_address", "end_ip_address"], ["start_ip", "end_ip"]]
	lib.attr(r, pair[0]) == "0.0.0.0"
	lib.attr(r, pair[1]) == "255.255.255.255"
	name := pair[1]
	found := lib.at(r, name, "every address may connect")
}
