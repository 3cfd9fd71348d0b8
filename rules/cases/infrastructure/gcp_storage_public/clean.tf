resource "google_storage_bucket_iam_member" "data" {
  member = "serviceAccount:${google_service_account.a.email}"
}
