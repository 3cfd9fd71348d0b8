# Statements of AWS policies, in whatever form they are written: {resource, path, kind, effect, ...}.
package secgate.infrastructure_lib

import rego.v1

# Type -> attribute -> what kind of policy stands there.
policy_places := {
	"aws_iam_policy": {"policy": "identity"},
	"aws_iam_role_policy": {"policy": "identity"},
	"aws_iam_user_policy": {"policy": "identity"},
	"aws_iam_group_policy": {"policy": "identity"},
	"aws_iam_role": {"assume_role_policy": "trust"},
	"aws_s3_bucket": {"policy": "storage"},
	"aws_s3_bucket_policy": {"policy": "storage"},
	"aws_sns_topic": {"policy": "resource"},
	"aws_sns_topic_policy": {"policy": "resource"},
	"aws_sqs_queue": {"policy": "resource"},
	"aws_sqs_queue_policy": {"policy": "resource"},
	"aws_kms_key": {"policy": "resource"},
	"aws_kms_key_policy": {"policy": "resource"},
	"aws_ecr_repository_policy": {"policy": "resource"},
	"aws_secretsmanager_secret": {"policy": "resource"},
	"aws_secretsmanager_secret_policy": {"policy": "resource"},
	"aws_elasticsearch_domain": {"access_policies": "resource"},
	"aws_elasticsearch_domain_policy": {"access_policies": "resource"},
	"aws_opensearch_domain": {"access_policies": "resource"},
	"aws_opensearch_domain_policy": {"access_policies": "resource"},
	"aws_efs_file_system_policy": {"policy": "resource"},
	"aws_backup_vault_policy": {"policy": "resource"},
	"aws_glacier_vault": {"access_policy": "resource"},
	"AWS::IAM::Policy": {"PolicyDocument": "identity"},
	"AWS::IAM::ManagedPolicy": {"PolicyDocument": "identity"},
	"AWS::IAM::Role": {"AssumeRolePolicyDocument": "trust"},
	"AWS::S3::BucketPolicy": {"PolicyDocument": "storage"},
	"AWS::SNS::TopicPolicy": {"PolicyDocument": "resource"},
	"AWS::SQS::QueuePolicy": {"PolicyDocument": "resource"},
	"AWS::KMS::Key": {"KeyPolicy": "resource"},
	"AWS::ECR::Repository": {"RepositoryPolicyText": "resource"},
	"AWS::SecretsManager::ResourcePolicy": {"ResourcePolicy": "resource"},
	"AWS::Elasticsearch::Domain": {"AccessPolicies": "resource"},
	"AWS::OpenSearchService::Domain": {"AccessPolicies": "resource"},
	"AWS::EFS::FileSystem": {"FileSystemPolicy": "resource"},
}

# Type -> attribute with inline policies -> the document in each.
inline_places := {
	"aws_iam_role": ["inline_policy", "policy"],
	"AWS::IAM::Role": ["Policies", "PolicyDocument"],
	"AWS::IAM::User": ["Policies", "PolicyDocument"],
	"AWS::IAM::Group": ["Policies", "PolicyDocument"],
}

policy_documents contains found if {
	some type, places in policy_places
	some r in of(type)
	some name, kind in places
	is_object(object.get(r.attributes, name, null))
	found := {"resource": r, "path": name, "kind": kind, "value": r.attributes[name]}
}

policy_documents contains found if {
	some type, names in inline_places
	some r in of(type)
	some block in blocks(r.attributes, names[0])
	document := object.get(block.value, names[1], null)
	is_object(document)
	path := sprintf("%s.%s", [block.path, names[1]])
	found := {"resource": r, "path": path, "kind": "identity", "value": document}
}

statements contains found if {
	some document in policy_documents
	some block in blocks(document.value, "Statement")
	found := {
		"resource": document.resource,
		"path": sprintf("%s.%s", [document.path, block.path]),
		"kind": document.kind,
		"effect": object.get(block.value, "Effect", null),
		"actions": list(object.get(block.value, "Action", null)),
		"resources": list(object.get(block.value, "Resource", null)),
		"principals": principals(object.get(block.value, "Principal", null)),
		"conditional": object.get(block.value, "Condition", null) != null,
	}
}

statements contains found if {
	some r in of("data.aws_iam_policy_document")
	some block in blocks(r.attributes, "statement")
	found := {
		"resource": r,
		"path": block.path,
		"kind": document_kind(block.value),
		"effect": object.get(block.value, "effect", "Allow"),
		"actions": list(object.get(block.value, "actions", null)),
		"resources": list(object.get(block.value, "resources", null)),
		"principals": [identifier |
			some principal in blocks(block.value, "principals")
			principal.value.type in {"*", "AWS"}
			some identifier in list(object.get(principal.value, "identifiers", null))
		],
		"conditional": count(list(object.get(block.value, "condition", null))) > 0,
	}
}

# Always defined, as is every function that a value is built from.
principals(v) := ["*"] if {
	v == "*"
} else := list(object.get(v, "AWS", null)) if {
	is_object(v)
	not unresolved(v)
} else := []

default document_kind(_) := "identity"

document_kind(statement) := "trust" if {
	is_trust(statement)
} else := "storage" if {
	object.get(statement, "principals", null) != null
	some action in list(object.get(statement, "actions", null))
	is_string(action)
	startswith(action, "s3:")
} else := "resource" if {
	object.get(statement, "principals", null) != null
}

is_trust(statement) if {
	object.get(statement, "principals", null) != null
	some action in list(object.get(statement, "actions", null))
	is_string(action)
	startswith(action, "sts:")
}

# Anyone at all may do it, with no condition that could narrow that down.
for_anyone(statement) if {
	statement.effect == "Allow"
	statement.conditional == false
	"*" in statement.principals
}

terraform_types := [trim_prefix(type, "terraform/") | some type, _ in input.types; startswith(type, "terraform/")]

public_iam_members contains found if {
	some type in terraform_types
	regex.match(`^google_.*_iam_member$`, type)
	some r in of(type)
	attr(r, "member") in {"allUsers", "allAuthenticatedUsers"}
	found := {"resource": r, "path": "member", "member": attr(r, "member")}
}

public_iam_members contains found if {
	some type in terraform_types
	regex.match(`^google_.*_iam_binding$`, type)
	some r in of(type)
	some member in list(attr(r, "members"))
	member in {"allUsers", "allAuthenticatedUsers"}
	found := {"resource": r, "path": "members", "member": member}
}
