"""OTP-Pi modem type `simulated`: a modem peer behind a pty, driven like a real one; its messages stay on this device."""
