"""The card image: how it is built (shell), and how one is made a device's own (`image.card`)."""
