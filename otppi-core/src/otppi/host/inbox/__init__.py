"""What comes in from the network."""
