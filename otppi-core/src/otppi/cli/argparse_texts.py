"""What argparse says to people, as texts of ours: its own way needs catalogues that are installed in the system."""

from otppi.text import _

OF_ARGPARSE = (
    _("usage: "),
    _("options"),
    _("positional arguments"),
    _("show this help message and exit"),
    _("show program's version number and exit"),
    _("the following arguments are required: %s"),
    _("unrecognized arguments: %s"),
    _("argument %(argument_name)s: %(message)s"),
    _("expected one argument"),
    _("expected at least one argument"),
    _("expected at most one argument"),
    _("ignored explicit argument %r"),
    _("invalid %(type)s value: %(value)r"),
    _("invalid choice: %(value)r (choose from %(choices)s)"),
    _("not allowed with argument %s"),
    _("one of the arguments %s is required"),
)
"""Sentences of argparse, which looks them up by itself."""
