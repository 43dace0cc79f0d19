"""OTP-Pi's Ethernet, by NetworkManager."""
