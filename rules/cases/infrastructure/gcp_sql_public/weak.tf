resource "google_sql_database_instance" "main" {
  settings { # weak: IAC-CLOUD-SQL-OPEN
    tier = "db-f1-micro"
    ip_configuration {
      authorized_networks {
        value = "0.0.0.0/0"
      }
    }
  }
}

resource "azurerm_mssql_firewall_rule" "all" {
  start_ip_address = "0.0.0.0"
  end_ip_address   = "255.255.255.255" # weak: IAC-CLOUD-SQL-OPEN
}
