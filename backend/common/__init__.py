"""What every room may use: errors, units, money, the clock."""
