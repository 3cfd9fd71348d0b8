resource "azurerm_storage_container" "site" {
  container_access_type = "container" # weak: IAC-AZURE-STORAGE-PUBLIC
}

resource "azurerm_storage_account" "site" {
  allow_nested_items_to_be_public = true # weak: IAC-AZURE-STORAGE-PUBLIC
}
