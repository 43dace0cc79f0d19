"""Pure protocol code: bytes and values in, bytes and values out; no I/O, threads, clock or logging."""
