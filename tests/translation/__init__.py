"""The catalogues: `python -m tests.translation` brings them up to date, the tests hold them complete."""
