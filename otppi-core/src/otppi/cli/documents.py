"""Documents of settings: how a JSON file of them is read."""

import json
import sys
from pathlib import Path

from otppi.cli.exits import Exit, Failure
from otppi.cli.language import _

_STDIN = Path("-")


def read_document(path: Path) -> object:
    """Read a JSON document from a file, or from stdin where the path is `-`; ends the command where that fails."""
    name = "stdin" if path == _STDIN else str(path)
    try:
        return json.loads(sys.stdin.read() if path == _STDIN else path.read_bytes())
    except OSError as error:
        raise Failure(Exit.USAGE, _("{name} cannot be read: {reason}", name=name, reason=error.strerror)) from error
    except json.JSONDecodeError as error:
        raise Failure(
            Exit.USAGE,
            _(
                "{name} is not JSON: {msg} (line {lineno}, column {colno})",
                name=name,
                msg=error.msg,
                lineno=error.lineno,
                colno=error.colno,
            ),
        ) from error
    except UnicodeDecodeError as error:
        raise Failure(
            Exit.USAGE, _("{name} is not JSON: it is not UTF-8 (byte {start})", name=name, start=error.start)
        ) from error
    except RecursionError as error:
        raise Failure(Exit.USAGE, _("{name} is nested too deeply", name=name)) from error
    except ValueError as error:  # of int, for more digits than it reads (sys.set_int_max_str_digits)
        raise Failure(Exit.USAGE, _("{name} has a number of too many digits", name=name)) from error
