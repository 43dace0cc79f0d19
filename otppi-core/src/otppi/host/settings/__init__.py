"""The settings as one document: checked as a whole, changed by people, with revisions and hashed secrets.

Not here: the declaration of each section (the `settings.py` of its room), what a setting is (`api/settings/`), and the
file (`host/storage/store.py`).
"""
