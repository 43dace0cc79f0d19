"""OTP-Pi ingress: MQTT 5 and 3.1.1 (Mosquitto)."""
