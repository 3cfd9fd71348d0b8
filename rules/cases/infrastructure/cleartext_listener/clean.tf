resource "aws_lb_listener" "http" {
  protocol = "HTTP"
  default_action {
    type = "redirect"
    redirect {
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "unknown" {
  protocol = "HTTP"
  dynamic "default_action" {
    for_each = var.actions
    content {
      type = default_action.value
    }
  }
}
