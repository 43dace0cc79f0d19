"""Tests of otppi_reset_stick."""
