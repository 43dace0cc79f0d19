"""Who may see and do what on the pages: names of the device, origins, sessions, forms."""
