resource "aws_db_instance" "main" { # weak: IAC-AWS-DATABASE-UNENCRYPTED
  engine = "postgres"
}

resource "aws_rds_cluster" "main" {
  engine            = "aurora-postgresql"
  storage_encrypted = false # weak: IAC-AWS-DATABASE-UNENCRYPTED
}
