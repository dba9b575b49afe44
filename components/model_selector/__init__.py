"""ModelSelector: the best blessed candidate of a run, and the resolver of each candidate's predecessor."""
