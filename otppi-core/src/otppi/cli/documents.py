"""Documents of settings: how a JSON file of them is read."""

import json
import sys
from pathlib import Path

from otppi.cli.exits import Exit, Failure

_STDIN = Path("-")


def read_document(path: Path) -> object:
    """Read a JSON document from a file, or from stdin where the path is `-`; ends the command where that fails."""
    name = "stdin" if path == _STDIN else str(path)
    try:
        return json.loads(sys.stdin.read() if path == _STDIN else path.read_bytes())
    except OSError as error:
        raise Failure(Exit.USAGE, f"{name} cannot be read: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise Failure(
            Exit.USAGE, f"{name} is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        ) from error
    except UnicodeDecodeError as error:
        raise Failure(Exit.USAGE, f"{name} is not JSON: it is not UTF-8 (byte {error.start})") from error
    except RecursionError as error:
        raise Failure(Exit.USAGE, f"{name} is nested too deeply") from error
