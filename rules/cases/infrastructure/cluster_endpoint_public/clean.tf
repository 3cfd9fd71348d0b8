resource "aws_eks_cluster" "main" {
  vpc_config {
    endpoint_public_access  = false
    endpoint_private_access = true
  }
}

resource "aws_eks_cluster" "office" {
  vpc_config {
    public_access_cidrs = ["192.0.2.0/24"]
  }
}
