resource "aws_s3_bucket_policy" "data" {
  bucket = aws_s3_bucket.data.id
  policy = <<POLICY
{
  "Statement": [
    {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "${aws_s3_bucket.data.arn}/*"},
    {"Effect": "Allow", "Principal": {"AWS": "${aws_iam_role.reader.arn}"}, "Action": "s3:GetObject", "Resource": "*"},
    {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*",
     "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}
  ]
}
POLICY
}
