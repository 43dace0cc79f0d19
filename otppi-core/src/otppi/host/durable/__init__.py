"""What survives a crash or a power cut: journal, spool, in-flight notes and report, and what a start makes of them.

Not here: how a record is written down (`host/records/encoding.py`), and how files are replaced or sealed
(`host/storage/`).
"""
