resource "aws_lb_listener" "http" {
  port     = 80
  protocol = "HTTP" # weak: IAC-CLOUD-CLEARTEXT
  default_action {
    type             = "forward"
    target_group_arn = var.target
  }
}

resource "aws_cloudfront_distribution" "site" {
  default_cache_behavior {
    viewer_protocol_policy = "allow-all" # weak: IAC-CLOUD-CLEARTEXT
  }
}

resource "azurerm_storage_account" "s" {
  https_traffic_only_enabled = false # weak: IAC-CLOUD-CLEARTEXT
}

resource "azurerm_postgresql_server" "p" {
  ssl_enforcement_enabled = false # weak: IAC-CLOUD-CLEARTEXT
}
