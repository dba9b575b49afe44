"""What the checks look at: the examples, what a model sees of them, parts of them, and what is trained on those."""
