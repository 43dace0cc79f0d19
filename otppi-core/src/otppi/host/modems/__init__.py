"""The modems of the settings: which device each is, its worker, its recovery, and its mobile internet.

Not here: the AT dialogue (`kit/at/`), what every egress does (`host/messages/egress_thread.py`), and USSD sessions
(`host/ussd/`).
"""
