"""What is done with commands, and health."""
