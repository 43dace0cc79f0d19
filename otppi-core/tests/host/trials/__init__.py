"""Tests of the room of trials."""
