resource "aws_eks_cluster" "main" {
  name = "main"
  vpc_config { # weak: IAC-CLOUD-CLUSTER-ENDPOINT-PUBLIC
    subnet_ids = var.subnets
  }
}
