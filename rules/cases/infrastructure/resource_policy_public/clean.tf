resource "aws_sqs_queue_policy" "sns" {
  policy = jsonencode({
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.q.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_sns_topic.t.arn } }
    }]
  })
}

resource "aws_lambda_permission" "gateway" {
  principal  = "*"
  source_arn = aws_api_gateway_rest_api.a.execution_arn
}
