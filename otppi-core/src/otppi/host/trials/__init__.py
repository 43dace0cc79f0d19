"""Changes of the device's network and firewall: each is in use for a while, and kept when somebody confirms it.

Not here: how a change is made, which is a plugin's (`api/trials.py`); the pages (`admin/pages/`).
"""
