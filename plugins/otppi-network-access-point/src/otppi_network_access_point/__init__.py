"""OTP-Pi's access point, by NetworkManager."""
