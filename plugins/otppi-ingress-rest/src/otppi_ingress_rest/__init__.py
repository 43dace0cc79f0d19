"""The REST ingress of OTP-Pi: HTTP and HTTPS requests in, the gateway's answers out."""
