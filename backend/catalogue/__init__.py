"""What Saleor's product lacks: season, storage, price per 500 g, and dishes."""
