"""How `otppi` reads its arguments: global options in any place, an example for every command, errors in one line.

Nothing of the host is imported here, so that `--help` and a typing error are answered at once.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from otppi.cli.exits import Exit
from otppi.cli.language import spoken
from otppi.text import _
from otppi.text.languages import languages

Options = argparse.Namespace
Handler = Callable[[Options], int]

VALUED = frozenset({"--data", "--language"})
"""The global options that are followed by a value."""
_SYSTEM_DATA = Path("/var/lib/otppi")


def default_data() -> Path:
    """Return the data folder that is used where none is named."""
    if named := os.environ.get("OTPPI_DATA"):
        return Path(named)
    return _SYSTEM_DATA if _SYSTEM_DATA.is_dir() else Path.home() / ".local/share/otppi"


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and whose options may stand between the positional arguments."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **settings)
        self._mixing = False

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        line = " ".join(message.split())
        self.exit(
            Exit.USAGE, spoken(_("{program}: {problem} (see {program} --help)", program=self.prog, problem=line)) + "\n"
        )

    def add_argument(self, *names: Any, **settings: Any) -> argparse.Action:
        """Add an argument, whose help is said in the language that the command speaks."""
        return super().add_argument(*names, **spoken(settings))

    def format_usage(self) -> str:
        """Write the usage as parsing intermixed takes it apart: it cuts off the first 7 letters, "usage: "."""
        formatter = self._get_formatter()
        formatter.add_usage(self.usage, self._actions, self._mutually_exclusive_groups, prefix="usage: ")
        return formatter.format_help()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Read the arguments of a command in any order: `send NUMBER --modem NAME MESSAGE`.

        argparse gives an optional argument up at the first option, unless it parses "intermixed"; that is not offered
        for parsers with sub-commands, and calls this method again up to Python 3.12.
        """
        if self._mixing or self._subparsers is not None:
            return super().parse_known_args(args, namespace)
        self._mixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixing = False


class Commands:
    """The sub-commands of a parser."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._group = parser.add_subparsers(
            title=spoken(_("commands")), metavar=spoken(_("COMMAND")), required=True, parser_class=Parser
        )
        self._within: dict[str, Commands] = {}

    def command(
        self,
        name: str,
        help: str,  # noqa: A002
        handler: Handler,
        examples: Sequence[str],
        *,
        prints: bool = True,
    ) -> Parser:
        """Add a command; `prints` says whether it has output that `--json` gives to scripts."""
        epilog = "\n".join([spoken(_("examples:")), *(f"  {example}" for example in examples)])
        parents = [_common_options(), *([_json_option()] if prints else [])]
        help = spoken(help)  # noqa: A001
        parser = self._group.add_parser(name, help=_summary(help), description=help, epilog=epilog, parents=parents)
        parser.set_defaults(handler=handler)
        return parser

    def group(self, name: str, help: str) -> "Commands":  # noqa: A002
        """Add a word that has commands of its own, such as `user`."""
        help = spoken(help)  # noqa: A001
        parents = [_common_options(), _json_option()]
        self._within[name] = Commands(
            self._group.add_parser(name, help=_summary(help), description=help, parents=parents)
        )
        return self._within[name]

    def default(self, name: str, handler: Handler) -> Parser:
        """Have one of the commands carried out where none is named; returns the parser for its options there.

        An option that another command has, too, must have `argparse.SUPPRESS` as its default: what stands before the
        command is kept.
        """
        self._group.required = False
        alone = _("without a command: as {program} {command}", program=self._parser.prog, command=name)
        self._parser.epilog = spoken(alone)
        self._parser.set_defaults(handler=handler)
        return self._parser

    def within(self, words: Sequence[str], help: str = "") -> "Commands":  # noqa: A002
        """Return the group that these words are a command of, which is made with this help where there is none."""
        if len(words) < 2:
            return self
        return self._within.get(words[0]) or self.group(words[0], help)

    def has(self, words: Sequence[str]) -> bool:
        """Return whether words begin a command: one that is a command or a group, or two of a command in a group."""
        if not words or words[0] not in self._group.choices:
            return False
        group = self._within.get(words[0])
        return group is None or len(words) == 1 or group.has(words[1:])


def root(version: str, description: str, epilog: str) -> Parser:
    """Make the parser of `otppi` itself."""
    parser = Parser(prog="otppi", description=description, epilog=epilog, parents=[_common_options(), _json_option()])
    parser.add_argument("--version", action="version", version=f"otppi {version}")
    return parser


def complete(options: Options) -> Options:
    """Put the defaults of the global options where they were not given."""
    options.data = getattr(options, "data", None) or default_data()
    options.json = getattr(options, "json", False)
    return options


# Each parser has the global options as its own, without a default: what stands before the command is kept.


def _common_options() -> Parser:
    parent = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    parent.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        help=_("data folder of the gateway (default: $OTPPI_DATA, else /var/lib/otppi, else ~/.local/share/otppi)"),
    )
    parent.add_argument(
        "--language",
        choices=languages(),
        help=_("what people read is in this language (default: that of $LANGUAGE, $LC_ALL or $LANG, else en)"),
    )
    return parent


def _json_option() -> Parser:
    parent = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    parent.add_argument("--json", action="store_true", help=_("print JSON, for scripts"))
    return parent


def _summary(help_text: str) -> str:
    """Take the first sentence, as the list of commands shows it."""
    return help_text.split("\n", 1)[0].split(". ", 1)[0].rstrip(".")
