"""Backups: all that matters in one sealed file, and the way back from it, all or nothing.

Not here: how the gateway begins anew (`host/gateway/restarting.py`), and who may claim a device
(`host/administrators/claim.py`). What the seal needs is loaded when a backup is made or opened only.
"""
