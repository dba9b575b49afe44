"""What is learned: features, architectures, training and serving."""
