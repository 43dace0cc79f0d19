"""OTP-Pi ingress: RabbitMQ (AMQP 0-9-1)."""
