"""The live monitor: what of the gateway whoever watches is shown, and how it gets to their browsers."""
