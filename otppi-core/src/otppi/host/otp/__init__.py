"""One-time passwords that the gateway makes and verifies, and the limits against SMS pumping.

Not here: sending the message of one (`host/messages/`), and passwords of people and programs (`host/users/`).
"""
