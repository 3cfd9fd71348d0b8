variable "db_password" {
  type    = string
  default = "made-up-Pass1" # weak: IAC-CLOUD-SECRET-DEFAULT
}

locals {
  api_key = "made-up-key-0001" # weak: IAC-CLOUD-SECRET-DEFAULT
}
