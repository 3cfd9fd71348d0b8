resource "aws_db_instance" "main" {
  publicly_accessible = var.public
}

resource "aws_db_instance" "other" {
  publicly_accessible = false
}
