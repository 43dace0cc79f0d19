"""Several gateways on one broker, each in a network namespace of its own."""
