"""The device's own network, as its plugins change it: IPv4 settings, NetworkManager's profiles, trials of them."""
