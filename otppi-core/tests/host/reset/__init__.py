"""Tests of otppi.host.reset."""
