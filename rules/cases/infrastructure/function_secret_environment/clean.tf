resource "aws_lambda_function" "f" {
  environment {
    variables = {
      DB_PASSWORD_ARN = "arn:aws:secretsmanager:eu-west-1:1:secret:db"
      DB_PASSWORD     = var.password
    }
  }
}
