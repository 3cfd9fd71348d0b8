resource "aws_s3_bucket" "site" {
  bucket = "site"
  acl    = "public-read" # weak: IAC-AWS-S3-PUBLIC-ACL
}

resource "aws_s3_bucket_acl" "site" {
  bucket = aws_s3_bucket.site.id
  access_control_policy { # weak: IAC-AWS-S3-PUBLIC-ACL
    grant {
      grantee {
        type = "Group"
        uri  = "http://acs.amazonaws.com/groups/global/AllUsers"
      }
      permission = "READ"
    }
  }
}

resource "aws_s3_bucket" "old" {
  grant { # weak: IAC-AWS-S3-PUBLIC-ACL
    type        = "Group"
    permissions = ["READ"]
    uri         = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
  }
}
