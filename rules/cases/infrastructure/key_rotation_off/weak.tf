resource "aws_kms_key" "main" { # weak: IAC-AWS-KEY-ROTATION-OFF
  description = "main"
}
