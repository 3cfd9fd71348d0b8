resource "aws_sns_topic" "alerts" { # weak: IAC-AWS-TOPIC-UNENCRYPTED
  name = "alerts"
}
