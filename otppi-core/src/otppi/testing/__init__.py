"""Shipped to plugin authors: a modem peer with faults on a pty, and a contract test suite for each ABC."""
