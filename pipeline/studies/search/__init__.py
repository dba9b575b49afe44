"""`awesome search`: better hyperparameters for one model, found on the eval split alone."""
