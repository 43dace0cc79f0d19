"""Resets: which parts there are, what a stick asks for, and how it is carried out whole, whenever power fails.

Not here: what finds sticks and reads them (plugin `otppi-reset-stick`); the files of the network, which a unit of the
card image brings back (`host/identity/first_boot.py`).
"""
