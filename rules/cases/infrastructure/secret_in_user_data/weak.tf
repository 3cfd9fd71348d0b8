resource "aws_instance" "app" {
  user_data = <<-SCRIPT # weak: IAC-CLOUD-SECRET-IN-USER-DATA
    #!/bin/sh
    export AWS_ACCESS_KEY_ID=AKIAMADEUPMADEUP0000
    start ${var.name}
  SCRIPT
}
