"""Events that are posted to a server of the user, one after the other, each tried again within bounds.

Not here: which events there are (`api/events.py`), and the HTTP client (`kit/net/http_client.py`).
"""
