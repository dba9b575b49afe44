"""TFMA's figures of all models of a run, from one pass over the test split."""
