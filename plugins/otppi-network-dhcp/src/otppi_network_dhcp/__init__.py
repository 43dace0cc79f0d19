"""OTP-Pi's DHCP server on the access point, by dnsmasq."""
