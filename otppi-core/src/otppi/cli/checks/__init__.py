"""The checks of `otppi doctor`: each finds what is in order and what is not, and says what to do about it."""
