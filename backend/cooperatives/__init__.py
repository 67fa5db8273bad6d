"""Who sells: villages, their cooperatives, and the people who act for them."""
