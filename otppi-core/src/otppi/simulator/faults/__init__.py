"""The faults that real modems were seen with, by name, and how they strike at a simulated modem's stages."""
