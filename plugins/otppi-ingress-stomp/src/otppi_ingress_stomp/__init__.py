"""OTP-Pi ingress: STOMP 1.2 (ActiveMQ, RabbitMQ)."""
