resource "aws_lb_listener" "https" {
  protocol   = "HTTPS"
  ssl_policy = "ELBSecurityPolicy-2016-08" # weak: IAC-CLOUD-WEAK-TLS
}

resource "aws_cloudfront_distribution" "site" {
  viewer_certificate {
    acm_certificate_arn      = var.arn
    minimum_protocol_version = "TLSv1.1_2016" # weak: IAC-CLOUD-WEAK-TLS
  }
}

resource "azurerm_storage_account" "s" {
  min_tls_version = "TLS1_0" # weak: IAC-CLOUD-WEAK-TLS
}

resource "google_compute_ssl_policy" "p" {
  min_tls_version = "TLS_1_1" # weak: IAC-CLOUD-WEAK-TLS
}
