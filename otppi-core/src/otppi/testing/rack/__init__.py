"""A rack of simulated modems as a process of its own: `python -m otppi.testing.rack`."""
