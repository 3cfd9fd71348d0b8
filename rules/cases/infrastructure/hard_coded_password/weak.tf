provider "aws" {
  region     = "eu-west-1"
  access_key = "made-up-access-key" # weak: IAC-CLOUD-PASSWORD-LITERAL
  secret_key = var.secret_key
}

resource "aws_db_instance" "main" {
  password          = "made-up-Pass1" # weak: IAC-CLOUD-PASSWORD-LITERAL
  storage_encrypted = true
}
