"""The administration: the pages of the device on port 8888, drawn from the gateway's declarations, and its JSON API."""
