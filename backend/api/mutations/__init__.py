"""What clients may do beyond Saleor's own mutations."""
