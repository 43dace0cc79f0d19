"""Sessions and balances."""
