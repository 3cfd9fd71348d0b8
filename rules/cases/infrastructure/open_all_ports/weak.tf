resource "aws_security_group" "web" {
  ingress { # weak: IAC-NET-ALL-PORTS-OPEN
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "azurerm_network_security_rule" "all" { # weak: IAC-NET-ALL-PORTS-OPEN
  direction                  = "Inbound"
  access                     = "Allow"
  protocol                   = "*"
  source_address_prefix      = "*"
  destination_port_range     = "*"
  source_port_range          = "*"
  destination_address_prefix = "*"
}

resource "google_compute_firewall" "all" {
  name          = "all"
  network       = "default"
  source_ranges = ["0.0.0.0/0"]
  allow { # weak: IAC-NET-ALL-PORTS-OPEN
    protocol = "tcp"
  }
}
