"""The `otppi` command: the composition root, the only place that sees every floor."""

from otppi.cli.main import main

__all__ = ["main"]
