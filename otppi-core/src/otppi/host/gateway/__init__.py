"""What is done with the commands of all ingresses, and the health of the whole.

Not here: what becomes of a message (`host/messages/`), one-time passwords (`host/otp/`), and USSD (`host/ussd/`).
"""
