"""What the gateway keeps of its log in RAM: pages and diagnostics read it, since the journal is not theirs to read.

Not here: what is written and how (`cli/logs.py`), the page (`admin/pages/system_log.py`), and who asked for what
(`host/audit/`).
"""
