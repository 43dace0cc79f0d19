"""`python -m otppi` is the command `otppi`."""

import sys

from otppi.cli import main

sys.exit(main())
