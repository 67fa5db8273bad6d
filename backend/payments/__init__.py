"""How buyers pay: one Saleor gateway plugin each."""
