"""Power cuts: one run of the card is recorded write by write, and looked at as it is after a cut at any of them."""
