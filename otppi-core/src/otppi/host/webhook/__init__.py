"""What is posted to a server of the user's."""
