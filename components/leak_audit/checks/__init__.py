"""The leak checks, one a file: each declares a CHECK (check.py) and is found by that."""
