"""USSD sessions, their time-outs and answers, and the balances of SIM cards that are read by them.

Not here: the dialogue at the modem (`kit/at/ussd.py`), and the settings of a modem for it
(`host/modems/ussd_settings.py`).
"""
