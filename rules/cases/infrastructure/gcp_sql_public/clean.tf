resource "google_sql_database_instance" "main" {
  settings {
    ip_configuration {
      ipv4_enabled = false
    }
  }
}

resource "azurerm_mssql_firewall_rule" "services" {
  start_ip_address = "0.0.0.0"
  end_ip_address   = "0.0.0.0"
}
