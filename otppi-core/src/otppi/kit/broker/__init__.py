"""What consumers of all message brokers have in common."""
