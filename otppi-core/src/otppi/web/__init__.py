"""The HTTP room: connections, requests, workers, TLS; serves plain handlers or a WSGI application."""
