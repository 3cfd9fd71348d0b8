resource "aws_elasticache_replication_group" "cache" { # weak: IAC-AWS-DATA-SERVICE-UNENCRYPTED
  description = "cache"
}

resource "aws_opensearch_domain" "logs" {
  domain_name = "logs"
  encrypt_at_rest {
    enabled = false # weak: IAC-AWS-DATA-SERVICE-UNENCRYPTED
  }
}

resource "aws_kinesis_stream" "events" {
  encryption_type = "NONE" # weak: IAC-AWS-DATA-SERVICE-UNENCRYPTED
}
