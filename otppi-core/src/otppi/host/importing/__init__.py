"""Taking over the configuration of another program: what its files say, and which settings of ours that becomes.

Not here: documents of our own settings (`host/settings/`), and how the settings themselves are checked (the rooms and
plugins that declare them).
"""
