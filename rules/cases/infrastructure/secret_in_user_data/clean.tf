resource "aws_instance" "app" {
  user_data = <<-SCRIPT
    #!/bin/sh
    export DB=postgres://app:${var.password}@db/app
  SCRIPT
}
