resource "aws_efs_file_system" "shared" { # weak: IAC-AWS-FILE-SYSTEM-UNENCRYPTED
  creation_token = "shared"
}
