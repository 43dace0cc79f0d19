"""Who may administer the gateway, by which logins and second factors; the claim of a new device; where the pages are.

Not here: sessions and pages (`otppi.admin`), roles (`host/runtime/registry.py`), and who may send (`host/users/`).
"""
