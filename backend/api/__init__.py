"""The one contract: Saleor's schema plus ours, and the ways to run it."""
