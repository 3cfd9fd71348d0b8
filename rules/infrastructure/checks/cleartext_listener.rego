package secgate.infrastructure.cleartext_listener

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-CLOUD-CLEARTEXT",
	"title": "Served without TLS",
	"weakness": "cleartext-transmission",
	"cwes": [319],
	"severity": "medium",
	"score": 5.4,
	"confidence": "high",
	"remedy": "Serve HTTPS and let HTTP redirect to it.",
}

redirects(actions) if {
	some action in actions
	action.value[key] in {"redirect"}
	key in {"type", "Type"}
}

unknown_action(actions) if {
	some action in lib.list(actions)
	lib.unresolved(action)
}

result contains found if {
	some r in lib.of_any(["aws_lb_listener", "aws_alb_listener"])
	lib.attr(r, "protocol") == "HTTP"
	not redirects(lib.blocks(r.attributes, "default_action"))
	not unknown_action(lib.attr(r, "default_action"))
	found := lib.at(r, "protocol", "the listener forwards plain HTTP")
}

result contains found if {
	some r in lib.of("AWS::ElasticLoadBalancingV2::Listener")
	lib.attr(r, "Protocol") == "HTTP"
	not redirects(lib.blocks(r.attributes, "DefaultActions"))
	not unknown_action(lib.attr(r, "DefaultActions"))
	found := lib.at(r, "Protocol", "the listener forwards plain HTTP")
}

result contains found if {
	some r in lib.of("aws_cloudfront_distribution")
	some name in ["default_cache_behavior", "ordered_cache_behavior"]
	some block in lib.blocks(r.attributes, name)
	object.get(block.value, "viewer_protocol_policy", null) == "allow-all"
	found := lib.at(r, sprintf("%s.viewer_protocol_policy", [block.path]), "viewers may use plain HTTP")
}

result contains found if {
	some r in lib.of("AWS::CloudFront::Distribution")
	lib.get(r.attributes, ["DistributionConfig", "DefaultCacheBehavior", "ViewerProtocolPolicy"]) == "allow-all"
	found := lib.at(r, "DistributionConfig.DefaultCacheBehavior.ViewerProtocolPolicy", "viewers may use plain HTTP")
}

result contains found if {
	some type, names in {
		"azurerm_storage_account": ["enable_https_traffic_only", "https_traffic_only_enabled"],
		"azurerm_linux_web_app": ["https_only"],
		"azurerm_windows_web_app": ["https_only"],
		"azurerm_app_service": ["https_only"],
		"azurerm_redis_cache": [],
	}
	some r in lib.of(type)
	some name in names
	lib.no(lib.attr(r, name))
	found := lib.at(r, name, "plain HTTP is allowed")
}

result contains found if {
	some type, name in {
		"azurerm_mysql_server": "ssl_enforcement_enabled",
		"azurerm_postgresql_server": "ssl_enforcement_enabled",
		"azurerm_mariadb_server": "ssl_enforcement_enabled",
	}
	some r in lib.of(type)
	lib.no(lib.attr(r, name))
	found := lib.at(r, name, "connections without TLS are allowed")
}

result contains found if {
	some type, name in {"azurerm_redis_cache": "enable_non_ssl_port"}
	some r in lib.of(type)
	lib.yes(lib.attr(r, name))
	found := lib.at(r, name, "connections without TLS are allowed")
}

result contains found if {
	some r in lib.of("google_sql_database_instance")
	some settings in lib.blocks(r.attributes, "settings")
	some network in lib.blocks(settings.value, "ip_configuration")
	object.get(network.value, "ssl_mode", null) == "ALLOW_UNENCRYPTED_AND_ENCRYPTED"
	found := lib.at(r, settings.path, "connections without TLS are allowed")
}
