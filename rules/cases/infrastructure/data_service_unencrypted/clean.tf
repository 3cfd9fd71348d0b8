resource "aws_opensearch_domain" "logs" {
  dynamic "encrypt_at_rest" {
    for_each = var.encrypt
    content {
      enabled = encrypt_at_rest.value
    }
  }
}

resource "aws_elasticache_replication_group" "cache" {
  at_rest_encryption_enabled = true
}
