"""Fixtures for authors of OTP-Pi plugins (registered through the pytest11 entry point)."""
