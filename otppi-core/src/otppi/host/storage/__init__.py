"""How something is kept: files that are replaced as a whole, TinyDB through them, sealed slots, room in reserve.

Not here: what is kept (the room whose it is), and files that lines are appended to (`host/durable/report.py`).
"""
