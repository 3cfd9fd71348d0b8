resource "google_cloud_run_service_iam_member" "web" {
  role   = "roles/run.invoker"
  member = "allUsers"
}

resource "google_kms_crypto_key_iam_member" "one" {
  member = "user:a@example.org"
}
