"""The texts of this plugin that people read; what they are in other languages is in `locale`."""

from otppi.api.text import catalogue

_ = catalogue("otppi_firewall_nftables")
