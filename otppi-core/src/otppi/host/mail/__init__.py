"""The mail accounts of the settings, each with its worker and its thread.

Not here: SMTP, which plugins bring, what every egress does (`host/messages/egress_thread.py`), and the reading of
addresses (`host/numbering/receivers.py`).
"""
