resource "aws_instance" "app" {
  metadata_options {
    http_tokens = "required"
  }
}
