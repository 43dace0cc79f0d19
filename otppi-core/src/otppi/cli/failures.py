"""What a person or a script gets to see when a command fails: one line for each problem, and an exit code."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from otppi.api.errors import InvalidSettings, OtpPiError, sentence
from otppi.cli.exits import Exit, Failure
from otppi.cli.language import _
from otppi.cli.output import complain
from otppi.text import labelled


def guarded(command: Callable[[], int]) -> int:
    """Carry out a command; return its exit code, whatever becomes of it."""
    try:
        code = command()
        sys.stdout.flush()
    except Failure as failure:
        complain(*failure.lines)
        return failure.code
    except InvalidSettings as error:
        complain(*(labelled(one.field, one.reason) for one in error.problems))
        return Exit.USAGE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except EOFError:  # Ctrl-D, where something was asked for
        complain(_("nothing was typed, and nothing is changed"))
        return Exit.USAGE
    except BrokenPipeError:
        _forget_output()
        return Exit.BROKEN_PIPE
    except (OtpPiError, OSError) as error:
        complain(sentence(error))
        return Exit.FAILED
    return code


def _forget_output() -> None:
    """Send what is left to nowhere, since Python flushes once more at its end and would complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def origin(error: BaseException) -> str:
    """Return where an error comes from, innermost first: `file:line in function < …`."""
    frames, at = [], error.__traceback__
    while at is not None:
        frames.append(_place(at))
        at = at.tb_next
    return " < ".join(reversed(frames))


def _place(at: TracebackType) -> str:
    code = at.tb_frame.f_code
    return f"{Path(code.co_filename).name}:{at.tb_lineno} in {code.co_name}"


def excepthook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:  # noqa: ARG001
    """Tell a mistake of the program's own in one line (`sys.excepthook`)."""
    if not isinstance(error, KeyboardInterrupt):
        complain(_("internal error, please report it: {error} ({origin})", error=sentence(error), origin=origin(error)))
