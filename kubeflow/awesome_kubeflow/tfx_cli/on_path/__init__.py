"""The folder that goes on the PYTHONPATH."""
