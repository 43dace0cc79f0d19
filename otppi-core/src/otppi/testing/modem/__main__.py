"""Owns `python -m otppi.testing.modem`."""

import sys

from otppi.testing.modem.cli import main

if __name__ == "__main__":
    sys.exit(main())
