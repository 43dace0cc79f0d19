"""Plugins and their kinds, supervisor, registry of operations."""
