resource "aws_s3_bucket_public_access_block" "site" {
  bucket                  = aws_s3_bucket.site.id
  block_public_acls       = false # weak: IAC-AWS-S3-PUBLIC-ACCESS-BLOCK-OFF
  block_public_policy     = true
  ignore_public_acls      = "false" # weak: IAC-AWS-S3-PUBLIC-ACCESS-BLOCK-OFF
  restrict_public_buckets = true
}
