"""The record of a message: its frozen content, its one status, the table of records, and how one is written down.

Not here: what changes a status (`host/messages/life_cycle.py`), and the files that hold what is written down
(`host/durable/`).
"""
