"""Day-wide columns of a feature store: the prices of all shares, and what models/day_wide computes of them."""
