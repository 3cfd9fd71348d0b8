resource "aws_ebs_volume" "data" { # weak: IAC-AWS-VOLUME-UNENCRYPTED
  availability_zone = "eu-west-1a"
  size              = 40
}

resource "aws_instance" "app" {
  ami = "ami-1"
  root_block_device { # weak: IAC-AWS-VOLUME-UNENCRYPTED
    encrypted = false
  }
}
