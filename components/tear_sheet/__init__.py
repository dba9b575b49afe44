"""What users of tear sheets look for: how scores rank returns over time, and what a portfolio's days were like."""
