"""How the commands of this package are run: as `otppi` is, in the language of the environment."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from image.card.papers import Papers
from image.card.texts import _
from otppi.cli import failures, language, logs
from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit, Failure
from otppi.text.languages import language_of


def carry_out(make: Callable[[], Parser], command: Callable[[Options], int], arguments: Sequence[str] | None) -> int:
    """Parse the arguments and carry a command out; return its exit code.

    Args:
        make: Makes the parser, when the language is known.
        command: What is done.
        arguments: Those of the command line; None takes the process's own.
    """
    language.use(language_of(os.environ))
    options = make().parse_args(arguments)
    sys.excepthook = failures.excepthook
    logs.brief()
    return failures.guarded(lambda: command(options))


def check_room(papers: Papers, folder: Path) -> None:
    """End the command where the brochure of another device would be overwritten."""
    there = [str(path) for path in papers.paths(folder) if path.exists()]
    if there:
        raise Failure(
            Exit.USAGE,
            *(language.spoken(_("{path} is there already (--again overwrites it)", path=one)) for one in there),
        )
