resource "aws_lb_listener" "https" {
  protocol   = "HTTPS"
  ssl_policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
}

resource "azurerm_storage_account" "s" {
  min_tls_version = "TLS1_2"
}

resource "aws_lb_listener" "var" {
  ssl_policy = var.policy
}
