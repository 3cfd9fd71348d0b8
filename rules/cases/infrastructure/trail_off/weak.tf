resource "aws_cloudtrail" "main" {
  name           = "main"
  enable_logging = false # weak: IAC-AWS-TRAIL-OFF
}
