package secgate.infrastructure.cluster_endpoint_public

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-CLOUD-CLUSTER-ENDPOINT-PUBLIC",
	"title": "Control plane open to the internet",
	"weakness": "public-network-exposure",
	"cwes": [284],
	"severity": "medium",
	"score": 5.9,
	"confidence": "high",
	"remedy": "Make it private, or name the networks that may reach it.",
}

result contains found if {
	some r in lib.of("aws_eks_cluster")
	some block in lib.blocks(r.attributes, "vpc_config")
	not lib.no(object.get(block.value, "endpoint_public_access", null))
	not lib.unresolved(object.get(block.value, "endpoint_public_access", null))
	cidrs := object.get(block.value, "public_access_cidrs", null)
	open(cidrs)
	found := lib.at(r, block.path, "every address may reach the control plane")
}

result contains found if {
	some r in lib.of("google_container_cluster")
	some block in lib.blocks(r.attributes, "master_authorized_networks_config")
	some network in lib.blocks(block.value, "cidr_blocks")
	lib.anywhere(object.get(network.value, "cidr_block", null))
	found := lib.at(r, block.path, "every address may reach the control plane")
}

open(v) if v == null

open(cidrs) if lib.some_anywhere(lib.list(cidrs))
