resource "azurerm_storage_container" "data" {
  container_access_type = "private"
}

resource "azurerm_storage_account" "data" {
  allow_nested_items_to_be_public = false
}
