"""What makes a device one of its own: the Wi-Fi of its access point, its code, where it is used.

The file of it is written by who prepares a card (`image/card/`), and taken by the first boot of the device.
"""
