"""Alarms: what needs a person is told to the administrators, by SMS, e-mail or webhook, with limits against floods.

Not here: what the first page says that a person has to do (`admin/pages/needs.py`), and the events that the webhook
tells of messages and balances (`host/webhook`).
"""
