"""OTP-Pi ingress: WSMessageBroker (WebSocket)."""
