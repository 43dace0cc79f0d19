"""`otppi phone`: what arrived on the phones of simulated modems."""

import json
import threading
from collections.abc import Iterator
from typing import Any

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit, Failure
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import as_json, cell, complain, moment, one_line, show
from otppi.cli.talk import gateway

_EVERY = 0.5
_OVERLAP = 5.0
"""Seconds that are asked for again, since two modems may show their messages in another order than they arrived."""


def _follow_option(parser: Parser) -> None:
    parser.add_argument(
        "--follow", "-f", action="store_true", help=_("go on until Ctrl-C; with --json, one object for each line")
    )


def phone(options: Options) -> int:
    """Print the messages that are there, and with `--follow` those that come."""
    client = gateway(options.data)
    if options.follow:
        return _follow(options, client)
    messages = client.call("phone", {})
    show(options, messages, map(_line, messages))
    if not messages:
        complain(_("nothing has arrived yet"))
    return Exit.DONE


def _follow(options: Options, client: Any) -> int:
    for message in _arriving(client):
        print(as_json(message) if options.json else _line(message), flush=True)
    raise Failure(Exit.NOT_RUNNING, _("the gateway has stopped"))


def _arriving(client: Any) -> Iterator[dict[str, Any]]:
    """Yield every message once, until the gateway stops."""
    from otppi.host.control.client import NoAnswer

    never = threading.Event()
    shown: set[str] = set()
    after = 0.0
    while True:
        try:
            messages = client.call("phone", {"after": after})
        except NoAnswer:
            return
        named = {json.dumps(message): message for message in messages}
        yield from (message for name, message in named.items() if name not in shown)
        shown = set(named)
        if messages:
            after = max(after, messages[-1]["arrived"] - _OVERLAP)
        never.wait(_EVERY)


def _line(message: dict[str, Any]) -> str:
    text = "\n    ".join(one_line(line) for line in message["text"].split("\n"))
    flash = _(" (flash)") if message["flash"] else ""
    return f"{moment(message['arrived'])}  {cell(message['modem'])} → {cell(message['to'])}{flash}: {text}"


OWN = {"phone": Own(phone, arguments=_follow_option, hidden=frozenset({"after"}))}
