"""Fleet, devices, recovery, internet."""
