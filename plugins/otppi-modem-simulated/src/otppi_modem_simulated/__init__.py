"""OTP-Pi modem type `simulated`: a modem peer behind a pty, driven like a real one; nothing leaves this device."""
