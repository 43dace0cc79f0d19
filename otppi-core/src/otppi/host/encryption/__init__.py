"""Keys, and envelopes that are opened with them."""
