# Rules that let the whole internet in, of all clouds in one form: {resource, path, low, high} of ports.
package secgate.infrastructure_lib

import rego.v1

anywhere(v) if {
	is_string(v)
	regex.match(`(?i)^(\*|any|internet|0\.0\.0\.0|::|.*/0)$`, trim_space(v))
}

some_anywhere(values) if {
	some v in values
	anywhere(v)
}

no_ports(protocol) if {
	is_string(protocol)
	lower(protocol) in {"icmp", "icmpv6", "icmp6", "1", "58", "esp", "ah", "50", "51"}
}

every_protocol(protocol) if {
	protocol in {"-1", -1}
}

every_protocol(protocol) if {
	is_string(protocol)
	lower(protocol) in {"all", "any", "*"}
}

# Ports of a rule of AWS; without ports a rule of one protocol is for all of them.
aws_ports(protocol, _, _) := [0, 65535] if every_protocol(protocol)

aws_ports(protocol, from, to) := [number(from), number(to)] if {
	not every_protocol(protocol)
	not no_ports(protocol)
	not unresolved(protocol)
}

opening(r, path, ports) := {"resource": r, "path": path, "low": ports[0], "high": ports[1]}

openings contains found if {
	some r in of_any(["aws_security_group", "aws_default_security_group"])
	some block in blocks(r.attributes, "ingress")
	rule := block.value
	some_anywhere(array.concat(list(object.get(rule, "cidr_blocks", [])), list(object.get(rule, "ipv6_cidr_blocks", []))))
	ports := aws_ports(object.get(rule, "protocol", null), object.get(rule, "from_port", null), object.get(rule, "to_port", null))
	found := opening(r, block.path, ports)
}

openings contains found if {
	some r in of("aws_security_group_rule")
	attr(r, "type") == "ingress"
	some_anywhere(array.concat(list(attr(r, "cidr_blocks")), list(attr(r, "ipv6_cidr_blocks"))))
	ports := aws_ports(attr(r, "protocol"), attr(r, "from_port"), attr(r, "to_port"))
	found := opening(r, "type", ports)
}

openings contains found if {
	some r in of("aws_vpc_security_group_ingress_rule")
	some name in ["cidr_ipv4", "cidr_ipv6"]
	anywhere(attr(r, name))
	ports := aws_ports(attr(r, "ip_protocol"), attr(r, "from_port"), attr(r, "to_port"))
	found := opening(r, name, ports)
}

openings contains found if {
	some r in of("AWS::EC2::SecurityGroup")
	some block in blocks(r.attributes, "SecurityGroupIngress")
	rule := block.value
	some_anywhere([object.get(rule, "CidrIp", null), object.get(rule, "CidrIpv6", null)])
	ports := aws_ports(object.get(rule, "IpProtocol", null), object.get(rule, "FromPort", null), object.get(rule, "ToPort", null))
	found := opening(r, block.path, ports)
}

openings contains found if {
	some r in of("AWS::EC2::SecurityGroupIngress")
	some name in ["CidrIp", "CidrIpv6"]
	anywhere(attr(r, name))
	ports := aws_ports(attr(r, "IpProtocol"), attr(r, "FromPort"), attr(r, "ToPort"))
	found := opening(r, name, ports)
}

# Azure and Google write ports as texts: `22`, `1000-2000`, `*`.
port_range("*") := [0, 65535]

port_range(v) := [number(v), number(v)] if number(v) >= 0

port_range(v) := [number(parts[0]), number(parts[1])] if {
	is_string(v)
	v != "*"
	parts := split(v, "-")
	count(parts) == 2
}

azure_rules contains found if {
	some r in of("azurerm_network_security_rule")
	found := {"resource": r, "path": "", "value": r.attributes}
}

azure_rules contains found if {
	some r in of("azurerm_network_security_group")
	some block in blocks(r.attributes, "security_rule")
	found := {"resource": r, "path": block.path, "value": block.value}
}

same(v, word) if {
	is_string(v)
	lower(v) == word
}

openings contains found if {
	some rule in azure_rules
	value := rule.value
	same(object.get(value, "direction", null), "inbound")
	same(object.get(value, "access", null), "allow")
	not no_ports(object.get(value, "protocol", null))
	some_anywhere(array.concat(list(object.get(value, "source_address_prefix", [])), list(object.get(value, "source_address_prefixes", []))))
	some range in array.concat(list(object.get(value, "destination_port_range", [])), list(object.get(value, "destination_port_ranges", [])))
	ports := port_range(range)
	found := opening(rule.resource, rule.path, ports)
}

openings contains found if {
	some r in of("google_compute_firewall")
	object.get(r.attributes, "direction", "INGRESS") == "INGRESS"
	off(attr(r, "disabled"))
	some_anywhere(list(attr(r, "source_ranges")))
	some block in blocks(r.attributes, "allow")
	not no_ports(object.get(block.value, "protocol", null))
	some range in google_ports(block.value)
	ports := port_range(range)
	found := opening(r, block.path, ports)
}

google_ports(allow) := ["*"] if object.get(allow, "ports", null) in {null, []}

google_ports(allow) := allow.ports if {
	is_array(allow.ports)
	count(allow.ports) > 0
}

# All or nearly all ports.
is_wide(rule) if rule.high - rule.low >= 60000

admits(rule, port) if {
	not is_wide(rule)
	rule.low <= port
	port <= rule.high
}

admin_ports := {22: "SSH", 23: "Telnet", 135: "RPC", 445: "SMB", 3389: "RDP", 5900: "VNC", 5985: "WinRM", 5986: "WinRM"}

database_ports := {
	1433: "SQL Server",
	1521: "Oracle",
	2379: "etcd",
	3306: "MySQL",
	5432: "PostgreSQL",
	5439: "Redshift",
	5984: "CouchDB",
	6379: "Redis",
	7000: "Cassandra",
	9042: "Cassandra",
	9200: "Elasticsearch",
	9300: "Elasticsearch",
	11211: "Memcached",
	27017: "MongoDB",
}
