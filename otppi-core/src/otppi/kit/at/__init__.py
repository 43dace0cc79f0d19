"""Serial ports, and the AT dialogue of a modem."""
