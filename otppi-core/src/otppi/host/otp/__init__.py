"""Codes, and limits against pumping."""
