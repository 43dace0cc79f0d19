"""A connection to a server: opening it, TLS, why it failed, waiting and trying again, wake-ups, an HTTP client.

Not here: what goes over it: brokers (`kit/broker/`), and the HTTP server (`web/`).
"""
