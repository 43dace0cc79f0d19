"""Which spellings mean one subscriber, and what numbers start with."""
