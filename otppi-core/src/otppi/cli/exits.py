"""The exit codes of `otppi`, and the error that ends a command with one of them."""

from enum import IntEnum

from otppi.text import _


class Exit(IntEnum):
    """What a script may rely on. `--help` and docs/command-line.md list the same."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_RUNNING = 3
    LATER = 4
    UNCONFIRMED = 5
    INTERRUPTED = 130
    BROKEN_PIPE = 141

    @property
    def meaning(self) -> str:
        """Say in one line when a command ends so."""
        return _MEANINGS[self]


_MEANINGS = {
    Exit.DONE: _("done; for a message: sent, or taken in and still on its way (its state says which)"),
    Exit.FAILED: _("it failed: the message failed, expired or is blocked; doctor found problems"),
    Exit.USAGE: _("wrong usage or bad input; every problem is told, one a line"),
    Exit.NOT_RUNNING: _("the gateway is not running where it must"),
    Exit.LATER: _("refused now, try later (response codes 1101, 1205, 1208, or the data folder is in use)"),
    Exit.UNCONFIRMED: _("unconfirmed: the message may or may not have been sent"),
    Exit.INTERRUPTED: _("interrupted by Ctrl-C"),
    Exit.BROKEN_PIPE: _("whoever read the output has gone"),
}

_BY_RESPONSE_CODE = {
    "0000": Exit.DONE,
    "1101": Exit.LATER,
    "1205": Exit.LATER,
    "1206": Exit.USAGE,
    "1207": Exit.UNCONFIRMED,
    "1208": Exit.LATER,
}


def of_response_code(code: str) -> Exit:
    """Return the exit code that goes with a response code of the gateway."""
    return _BY_RESPONSE_CODE.get(code, Exit.FAILED)


class Failure(Exception):  # noqa: N818 - it is the end of a command rather than an error in it
    """Ends the command: each line is told on stderr."""

    def __init__(self, code: Exit, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.code = code
        self.lines = lines
