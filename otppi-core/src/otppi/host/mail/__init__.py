"""What e-mails go out by: the accounts of the settings."""
