"""A model, a formatter and a source of prices for awesome."""
