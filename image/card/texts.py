"""The texts of this package, whose catalogues are in `locale/` beside it."""

from otppi.text import catalogue

_ = catalogue("image.card")
