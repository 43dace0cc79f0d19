"""The clock of the device, by systemd's timedated and timesyncd over D-Bus."""
