"""How the steps are wired, and the command line."""
