variable "db_password" {
  type      = string
  sensitive = true
}

variable "password_length" {
  default = "twelve"
}

variable "token" {
  default = ""
}

locals {
  api_key = var.api_key
}
