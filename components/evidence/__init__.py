"""Evidence: how good a model's scores are, how uncertain that number is, and what it is compared with."""
