"""What makes a device one of its own: the Wi-Fi of its access point, its code, where it is used.

Not here: the file of it on a card, which `image/card/` writes and the first boot of the device takes; the code as the
gateway keeps and checks it (`host/administrators/device_code.py`).
"""
