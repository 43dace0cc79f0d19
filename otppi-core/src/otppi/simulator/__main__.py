"""Owns `python -m otppi.simulator`."""

import sys

from otppi.simulator.cli import main

if __name__ == "__main__":
    sys.exit(main())
