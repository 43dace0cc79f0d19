"""OTP-Pi: a one-time-password gateway that a small company can own."""

__version__ = "0.1.0"
