resource "aws_iam_policy" "all" {
  policy = jsonencode({
    Statement = { # weak: IAC-AWS-IAM-ADMIN-POLICY
      Effect   = "Allow"
      Action   = "*"
      Resource = ["*"]
    }
  })
}

data "aws_iam_policy_document" "all" {
  statement { # weak: IAC-AWS-IAM-ADMIN-POLICY
    actions   = ["*"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy_attachment" "admin" {
  role       = "ci"
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess" # weak: IAC-AWS-IAM-ADMIN-POLICY
}
