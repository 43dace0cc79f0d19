"""A modem at a serial port: the port, the AT dialogue, sending, what comes in, and how it is recovered.

Not here: the syntax of answers, TPDUs and alphabets (`wire/`), and which modem is used for what (`host/modems/`).
"""
