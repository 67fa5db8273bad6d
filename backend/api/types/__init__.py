"""The types that this shop adds to Saleor's, a module for each room."""
