"""`otppi completion`: what a shell needs to complete the arguments of `otppi`."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from otppi.cli.arguments import Commands, Options
from otppi.cli.exits import Exit
from otppi.cli.language import _

SHELLS = ("bash", "zsh", "fish")


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.command(
        "completion",
        _("Print the completion script of a shell."),
        completion,
        [
            "otppi completion bash > /etc/bash_completion.d/otppi",
            "otppi completion zsh > ~/.zfunc/_otppi",
            "otppi completion fish > ~/.config/fish/completions/otppi.fish",
        ],
        prints=False,
    )
    parser.add_argument("shell", choices=SHELLS, help=_("the shell"))


def completion(options: Options) -> int:
    """Print the script."""
    import shtab

    from otppi.cli.main import parser

    whole = parser(None)
    for action in _actions(whole):
        if action.type is Path:
            action.complete = shtab.DIRECTORY if action.dest == "data" else shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(whole, options.shell))
    return Exit.DONE


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser and of all its commands."""
    for action in parser._actions:  # argparse has no public way to walk them; shtab goes the same
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
