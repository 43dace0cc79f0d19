"""A connection to a server: TLS, back-off, wake-up, its state for people to see."""
