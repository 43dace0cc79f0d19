"""What a plugin author reads: hook specifications, settings declarations, errors, and one ABC per kind of plugin."""

from otppi.api.hookspecs import hookimpl

__all__ = ["hookimpl"]
