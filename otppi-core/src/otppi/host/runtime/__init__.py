"""What a gateway runs with: plugins and their kinds, services, threads, events, the registry of operations.

Not here: any matter of messages or modems, and which rooms there are (`host/core.py`).
"""
