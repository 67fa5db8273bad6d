"""What is in the shed: a ledger of movements, projected onto Saleor's Stock rows."""
