"""The clock of the gateway: in which time zone it tells times.

Not here: whether the clock may be wrong (`ClockWatch` in `host/messages/clock.py`), and setting it.
"""
