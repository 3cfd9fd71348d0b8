resource "aws_cloudtrail" "main" { # weak: IAC-AWS-TRAIL-VALIDATION-OFF
  name = "main"
}
