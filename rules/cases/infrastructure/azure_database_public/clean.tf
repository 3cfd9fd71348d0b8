resource "azurerm_mssql_server" "main" {
  public_network_access_enabled = false
}
