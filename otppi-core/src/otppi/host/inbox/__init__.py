"""Messages that come in: put together from their parts, kept within bounds, and handed on.

Not here: how a modem gives them away (`kit/at/inbox.py`), the webhook that they are posted to (`host/webhook/`), and
status reports (`host/messages/receipts.py`).
"""
