"""The files of the card image that are at their final paths in `overlays/`."""
