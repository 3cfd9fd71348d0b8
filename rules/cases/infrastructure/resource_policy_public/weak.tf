resource "aws_sqs_queue_policy" "open" {
  queue_url = aws_sqs_queue.q.id
  policy    = jsonencode({
    Statement = [
      { # weak: IAC-AWS-RESOURCE-POLICY-PUBLIC
        Effect    = "Allow"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.q.arn
      }
    ]
  })
}

resource "aws_lambda_permission" "open" {
  action        = "lambda:InvokeFunction"
  function_name = "f"
  principal     = "*" # weak: IAC-AWS-RESOURCE-POLICY-PUBLIC
}

resource "aws_lambda_function_url" "open" {
  function_name      = "f"
  authorization_type = "NONE" # weak: IAC-AWS-RESOURCE-POLICY-PUBLIC
}
