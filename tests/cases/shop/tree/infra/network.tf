resource "aws_security_group" "admin" {
  name        = "shop-admin"
  description = "Administration of the shop"
  vpc_id      = var.vpc_id

  ingress {
    description = "SSH for the people on call"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "worker" {
  name        = "shop-worker"
  description = "Machines that render invoices"
  vpc_id      = var.vpc_id

  ingress {
    description = "SSH from the bastion"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["10.20.0.0/24"]
  }
}

variable "vpc_id" {
  description = "The network of the shop"
  type        = string
}
