resource "aws_db_instance" "main" {
  password = var.password
}

resource "aws_db_instance" "other" {
  password = random_password.p.result
}

resource "aws_db_instance" "third" {
  manage_master_user_password = true
}
