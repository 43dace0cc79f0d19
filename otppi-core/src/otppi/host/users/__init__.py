"""Who may send: API users, their passwords and tokens.

Not here: the pace at which passwords are checked (`host/logins/`), the hash of one (`host/settings/password_hash.py`),
who may ask for which operation (`host/runtime/registry.py`), and the limits of one-time passwords
(`host/otp/limits.py`).
"""
