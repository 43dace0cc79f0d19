"""Who is meant by a receiver: one key for all spellings of a number or an address, how it is masked, and prefixes.

Not here: who is blocked (`host/messages/blocklist.py`), and the digits in a TPDU (`wire/address.py`).
"""
