package secgate.infrastructure.weak_tls

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-CLOUD-WEAK-TLS",
	"title": "TLS older than 1.2 accepted",
	"weakness": "weak-tls-version",
	"cwes": [327],
	"severity": "medium",
	"score": 5.9,
	"confidence": "high",
	"remedy": "Ask for TLS 1.2 at least.",
}

# Policies of the AWS load balancer with "TLS-1-0", "TLS-1-1" or an old date.
old_listener(policy) if {
	is_string(policy)
	regex.match(`^ELBSecurityPolicy-(2014|2015|2016-08|TLS-1-0|TLS-1-1|FS-2018-06|FS-1-1|TLS13-1-0|TLS13-1-1)`, policy)
}

old_front(version) if version in {"SSLv3", "TLSv1", "TLSv1_2016", "TLSv1.1_2016"}

old_version(version) if version in {"1.0", "1.1", "TLS1_0", "TLS1_1", "TLS10", "TLS11", "TLSv1.0", "TLSv1.1", "TLS_1_0", "TLS_1_1", 1.0, 1.1}

message(version) := sprintf("`%v` accepts TLS before 1.2", [version])

result contains found if {
	some type, name in {"aws_lb_listener": "ssl_policy", "aws_alb_listener": "ssl_policy", "AWS::ElasticLoadBalancingV2::Listener": "SslPolicy"}
	some r in lib.of(type)
	old_listener(lib.attr(r, name))
	found := lib.at(r, name, message(lib.attr(r, name)))
}

result contains found if {
	some r in lib.of("aws_cloudfront_distribution")
	some block in lib.blocks(r.attributes, "viewer_certificate")
	version := object.get(block.value, "minimum_protocol_version", null)
	old_front(version)
	found := lib.at(r, sprintf("%s.minimum_protocol_version", [block.path]), message(version))
}

result contains found if {
	some r in lib.of("AWS::CloudFront::Distribution")
	version := lib.get(r.attributes, ["DistributionConfig", "ViewerCertificate", "MinimumProtocolVersion"])
	old_front(version)
	found := lib.at(r, "DistributionConfig.ViewerCertificate.MinimumProtocolVersion", message(version))
}

result contains found if {
	some type, name in {
		"aws_api_gateway_domain_name": "security_policy",
		"AWS::ApiGateway::DomainName": "SecurityPolicy",
		"azurerm_storage_account": "min_tls_version",
		"azurerm_mssql_server": "minimum_tls_version",
		"azurerm_mysql_server": "ssl_minimal_tls_version_enforced",
		"azurerm_postgresql_server": "ssl_minimal_tls_version_enforced",
		"azurerm_redis_cache": "minimum_tls_version",
		"google_compute_ssl_policy": "min_tls_version",
	}
	some r in lib.of(type)
	old_version(lib.attr(r, name))
	found := lib.at(r, name, message(lib.attr(r, name)))
}

result contains found if {
	some r in lib.of_any(["azurerm_linux_web_app", "azurerm_windows_web_app", "azurerm_linux_function_app", "azurerm_app_service"])
	some block in lib.blocks(r.attributes, "site_config")
	some key in ["minimum_tls_version", "min_tls_version"]
	old_version(object.get(block.value, key, null))
	found := lib.at(r, sprintf("%s.%s", [block.path, key]), message(block.value[key]))
}
