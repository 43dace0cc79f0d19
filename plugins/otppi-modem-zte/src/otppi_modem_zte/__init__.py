"""OTP-Pi modem type: ZTE sticks, and Wavecom Q24xx."""
