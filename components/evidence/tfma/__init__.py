"""What TensorFlow Model Analysis is told, and what it left behind."""
