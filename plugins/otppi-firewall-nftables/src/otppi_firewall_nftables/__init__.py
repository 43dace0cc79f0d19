"""OTP-Pi firewall by nftables: which ports of the device can be reached, and from where."""
