region      = "eu-west-1"
db_password = "made-up-Pass1" # weak: IAC-CLOUD-SECRET-DEFAULT
