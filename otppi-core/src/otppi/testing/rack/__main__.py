"""Owns `python -m otppi.testing.rack`."""

import sys

from otppi.testing.rack.cli import main

if __name__ == "__main__":
    sys.exit(main())
