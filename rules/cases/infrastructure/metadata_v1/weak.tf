resource "aws_instance" "app" {
  metadata_options {
    http_tokens = "optional" # weak: IAC-AWS-METADATA-V1
  }
}
