"""What messages come in by."""
