"""How pages are drawn: templates, what goes with them, and how things are written in a language."""
