"""The clock: in which time zone times are told, whether the device's own is right, and who may set it.

Not here: what is known against it from messages and from its jumps (`ClockWatch` in `host/messages/clock.py`).
"""
