"""The ExampleValidator that stops a run whose data does not fit the curated schema."""
