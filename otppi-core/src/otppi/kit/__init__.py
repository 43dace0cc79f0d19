"""Help for plugins that do I/O: serial ports, the AT dialogue, a modem that speaks it, back-off."""
