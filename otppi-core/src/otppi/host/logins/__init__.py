"""What logins of users and of administrators have in common: passwords that wait to be hashed, paces, failed logins.

Not here: who they are (`host/users/`, `host/administrators/`), and the hash of a password
(`host/settings/password_hash.py`).
"""
