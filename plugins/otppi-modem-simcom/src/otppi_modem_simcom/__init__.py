"""OTP-Pi modem type: SIMCom modules (SIM800, SIM7600)."""
