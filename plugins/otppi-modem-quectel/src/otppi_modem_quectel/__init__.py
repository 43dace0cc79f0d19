"""OTP-Pi modem type: Quectel modules (EC2x)."""
