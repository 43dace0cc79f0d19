"""The record and its outcomes."""
