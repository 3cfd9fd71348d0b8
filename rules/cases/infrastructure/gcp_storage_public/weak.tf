resource "google_storage_bucket_iam_member" "site" {
  bucket = "site"
  role   = "roles/storage.objectViewer"
  member = "allUsers" # weak: IAC-GCP-STORAGE-PUBLIC
}

resource "google_storage_bucket_iam_binding" "site" {
  bucket  = "site"
  role    = "roles/storage.objectViewer"
  members = ["group:a@example.org", "allAuthenticatedUsers"] # weak: IAC-GCP-STORAGE-PUBLIC
}
