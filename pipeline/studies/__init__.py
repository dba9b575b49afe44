"""Studies of many runs: the walk-forward and the experiments of the original project."""
