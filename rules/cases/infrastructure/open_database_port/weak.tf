resource "aws_security_group" "db" {
  ingress = [
    { # weak: IAC-NET-DATABASE-PORT-OPEN
      from_port   = 5432
      to_port     = 5432
      protocol    = "tcp"
      cidr_blocks = ["0.0.0.0/0"]
    }
  ]
}
