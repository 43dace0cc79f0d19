"""A card image becomes a device of its own: its identity is written on it, and its brochure is drawn.

`personalise` and `brochure` are the commands; `boot_partition` reads and writes the image, `identity` of the host says
what is written, `leaflet` draws what is printed, with the words of `wording`.
"""
