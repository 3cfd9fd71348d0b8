resource "aws_security_group" "bastion" {
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
  ingress { # weak: IAC-NET-ADMIN-PORT-OPEN
    from_port        = 20
    to_port          = 22
    protocol         = "tcp"
    ipv6_cidr_blocks = ["::/0"]
  }
}

resource "aws_security_group_rule" "rdp" {
  type              = "ingress" # weak: IAC-NET-ADMIN-PORT-OPEN
  from_port         = 3389
  to_port           = 3389
  protocol          = "tcp"
  cidr_blocks       = [local.anywhere]
  security_group_id = aws_security_group.bastion.id
}

resource "aws_vpc_security_group_ingress_rule" "ssh" {
  security_group_id = aws_security_group.bastion.id
  cidr_ipv4         = "0.0.0.0/0" # weak: IAC-NET-ADMIN-PORT-OPEN
  from_port         = 22
  to_port           = 22
  ip_protocol       = "tcp"
}

resource "azurerm_network_security_group" "vm" {
  name = "vm"
  security_rule { # weak: IAC-NET-ADMIN-PORT-OPEN
    direction               = "Inbound"
    access                  = "Allow"
    protocol                = "Tcp"
    source_address_prefix   = "Internet"
    destination_port_ranges = ["80", "3000-4000"]
  }
}

resource "google_compute_firewall" "ssh" {
  source_ranges = ["0.0.0.0/0"]
  allow { # weak: IAC-NET-ADMIN-PORT-OPEN
    protocol = "tcp"
    ports    = ["22"]
  }
}

locals {
  anywhere = "0.0.0.0/0"
}
