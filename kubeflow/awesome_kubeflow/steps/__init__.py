"""What is known of each kind of step, one kind a file."""
