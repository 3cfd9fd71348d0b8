resource "aws_lambda_function" "f" {
  environment {
    variables = {
      STAGE       = "production"
      DB_PASSWORD = "made-up-Pass1" # weak: IAC-AWS-SECRET-IN-ENVIRONMENT
    }
  }
}

resource "aws_ecs_task_definition" "t" {
  container_definitions = jsonencode([
    {
      name = "app"
      environment = [
        { name = "API_KEY", value = "made-up-key-0001" }, # weak: IAC-AWS-SECRET-IN-ENVIRONMENT
      ]
    }
  ])
}
