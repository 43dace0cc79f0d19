"""What an egress may send, when, and what it costs: quotas, rates, quiet hours, prices, usage.

Not here: which modem is taken then (`host/messages/placement.py`), limits of one-time passwords (`host/otp/limits.py`),
and of logins (`host/logins/login_throttle.py`).
"""
