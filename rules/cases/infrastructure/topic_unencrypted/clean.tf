resource "aws_sns_topic" "alerts" {
  kms_master_key_id = var.key
}
