"""Atomic files, TinyDB through them, sealed slots."""
