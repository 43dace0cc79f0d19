"""Who may send: API users, their passwords and tokens, and the pace at which passwords are checked.

Not here: the hash of a password (`host/settings/password_hash.py`), who may ask for which operation
(`host/runtime/registry.py`), and the limits of one-time passwords (`host/otp/limits.py`).
"""
