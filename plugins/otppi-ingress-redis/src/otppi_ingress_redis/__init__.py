"""OTP-Pi ingress: Redis streams, lists and channels."""
