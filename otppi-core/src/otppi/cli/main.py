"""The arguments of `otppi`, and what a person or a script gets to see of errors."""

import argparse
import logging
import sys
from pathlib import Path

from otppi.api.errors import OtpPiError
from otppi.cli.run import run


def main(arguments: list[str] | None = None) -> int:
    """Run the command; give its exit code."""
    parser = argparse.ArgumentParser(prog="otppi")
    commands = parser.add_subparsers(dest="command", required=True)
    runner = commands.add_parser("run")
    runner.add_argument("--data", type=Path, required=True)
    runner.add_argument("--provision", type=Path)
    runner.add_argument("--safe-mode", action="store_true")
    runner.add_argument("--log-level", default="info")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        return run(options.data, options.provision, safe_mode=options.safe_mode)
    except OtpPiError as error:
        print(f"otppi: {error}", file=sys.stderr)
        return 1
