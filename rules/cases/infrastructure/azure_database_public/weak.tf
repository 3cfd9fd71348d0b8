resource "azurerm_mssql_server" "main" {
  public_network_access_enabled = true # weak: IAC-AZURE-DATABASE-PUBLIC
}
