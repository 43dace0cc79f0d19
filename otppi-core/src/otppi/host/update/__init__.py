"""The device's own software: a new version of the gateway from a signed bundle, and Debian's security updates.

Not here: how a bundle is made (`image/bundle.py`); units, rules and scripts of the card image (`overlays/update/`); the
test that a new version makes (`cli/self_test.py`); pages (`admin/pages/update.py`).
"""
