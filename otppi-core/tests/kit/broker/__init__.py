"""A package, so that mypy tells this conftest.py from the one above."""
