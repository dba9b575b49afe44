"""The figures that a model is judged by, one a file: each declares a METRIC (metric.py) and is found by that."""
