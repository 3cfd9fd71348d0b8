resource "aws_db_instance" "main" {
  storage_encrypted = true
}

resource "aws_db_instance" "unknown" {
  storage_encrypted = var.encrypted
}

resource "aws_db_instance" "copy" {
  replicate_source_db = aws_db_instance.main.identifier
}
