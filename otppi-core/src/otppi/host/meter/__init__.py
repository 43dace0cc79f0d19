"""Quotas, rates, prices, usage."""
