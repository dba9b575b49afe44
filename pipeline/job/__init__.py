"""One run: prices, workspace, steps, console, and the gathering of what the steps left."""
