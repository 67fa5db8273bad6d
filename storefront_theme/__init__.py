"""What people see: server-rendered pages over the GraphQL contract, for buyers, cooperatives and the town."""
