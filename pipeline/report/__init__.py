"""A run for people: words, tables, charts and pages."""
