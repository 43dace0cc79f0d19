"""Tests of the declared pages."""
