"""Who may send, and how a password is checked."""
