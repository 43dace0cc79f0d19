"""The one door, and health."""
