"""Small runs, and the leaks that are planted in them on purpose: shared by the audit's tests and its benchmark."""
