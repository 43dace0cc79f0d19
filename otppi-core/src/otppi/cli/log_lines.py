"""`otppi log`: what the gateway keeps of its log, once or as it comes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import as_json, complain, moment, one_line, show
from otppi.cli.talk import gateway

_WAIT: Final = 5
"""Seconds that the gateway is asked to wait for a line; then it is asked again."""
_AT_ONCE: Final = 2_000
"""Lines that may have come meanwhile."""


def _log(options: Options) -> int:
    """Show the newest lines, and with `--follow` those that come, until Ctrl-C or the end of the gateway."""
    client = gateway(options.data)
    given = {key: getattr(options, key) for key in ("level", "room", "words", "limit")}
    wanted = {key: value for key, value in given.items() if value is not None}
    lines = client.call("log", wanted)
    if not options.follow:
        show(options, lines, _lines(lines))
        if not lines:
            complain(_("no line is like that"))
        return Exit.DONE
    while True:
        _print(options, lines)
        wanted |= {"after": lines[-1]["number"] if lines else wanted.get("after", 0), "wait": _WAIT, "limit": _AT_ONCE}
        lines = client.call("log", wanted)


def _print(options: Options, lines: Sequence[Mapping[str, Any]]) -> None:
    """Print lines as they come, each at once; with `--json` each is a document of its own."""
    for line in map(as_json, lines) if options.json else _lines(lines):
        print(line, flush=True)


def _lines(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    return [f"{moment(one['at'])} {one['level'].upper():<8} {one_line(one['text'])}" for one in lines]


def _follow(parser: Parser) -> None:
    parser.add_argument("--follow", action="store_true", help=_("go on with what comes, until Ctrl-C"))


OWN = {"log": Own(_log, arguments=_follow, hidden=frozenset({"after", "wait"}))}
