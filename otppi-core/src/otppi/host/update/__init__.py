"""The device's own software: a new version of the gateway from a signed bundle, and Debian's security updates."""
