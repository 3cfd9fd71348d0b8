resource "aws_iam_role" "shared" {
  assume_role_policy = jsonencode({
    Statement = [{ # weak: IAC-AWS-IAM-TRUST-ANYONE
      Effect    = "Allow"
      Principal = { AWS = "*" }
      Action    = "sts:AssumeRole"
    }]
  })
}
