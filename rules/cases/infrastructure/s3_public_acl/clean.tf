resource "aws_s3_bucket" "data" {
  acl = "private"
}

resource "aws_s3_bucket_acl" "logs" {
  bucket = aws_s3_bucket.data.id
  acl    = var.acl
}

resource "aws_s3_bucket" "gone" {
  count = 0
  acl   = "public-read"
}
