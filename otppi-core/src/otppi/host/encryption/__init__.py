"""The gateway's keys, and reading envelopes, plain ones and those that are encrypted to a key.

Not here: the sealed files on the RAM disk (`host/storage/sealed.py`), and the fields of an envelope
(`wire/envelope.py`).
"""
