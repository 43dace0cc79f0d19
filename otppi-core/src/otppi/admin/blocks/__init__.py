"""Pages that are declared (`otppi.api.pages`): called with a time limit, read with care, and drawn by the gateway."""
