resource "google_kms_crypto_key_iam_member" "open" {
  crypto_key_id = "k"
  role          = "roles/cloudkms.cryptoKeyDecrypter"
  member        = "allAuthenticatedUsers" # weak: IAC-GCP-IAM-PUBLIC
}

resource "google_bigquery_dataset" "d" {
  access { # weak: IAC-GCP-IAM-PUBLIC
    role          = "READER"
    special_group = "allAuthenticatedUsers"
  }
}
