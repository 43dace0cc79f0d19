"""A message from its admission to its end: routing, placement, queues, sending, status reports, the blocking list.

Not here: the modems (`host/modems/`), quotas and prices (`host/meter/`), the record (`host/records/`), and what a crash
leaves of it (`host/durable/`).
"""
