"""Who asked for what, when, and what became of it: kept on the card, bounded, to be read by administrators.

Not here: which operations are told and what is told of them (`Registry` in `host/runtime/registry.py`), and who logs
in to send (`host/logins/login_log.py`).
"""
