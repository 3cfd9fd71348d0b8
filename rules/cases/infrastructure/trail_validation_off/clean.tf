resource "aws_cloudtrail" "main" {
  enable_log_file_validation = true
}
