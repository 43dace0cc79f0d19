"""Help for plugins that do I/O: serial ports, the AT modem thread, back-off, stopping."""
