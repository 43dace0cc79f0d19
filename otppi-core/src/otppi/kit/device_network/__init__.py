"""The device's own network, as its plugins change it: IPv4 settings, NetworkManager's profiles, trials of them.

Not here: which trial goes on, and until when (`host/trials/trials.py`); the fields of a part, which its plugin has.
"""
