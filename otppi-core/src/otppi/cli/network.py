"""`otppi network`: the values of a change as JSON, and the token of one."""

import json
import sys
from functools import partial
from typing import Any, Final

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit, Failure
from otppi.cli.generated import Own, plain_lines, show_plain
from otppi.cli.language import _
from otppi.cli.output import show
from otppi.cli.talk import gateway

_TOKEN: Final = frozenset({"token"})


def _values(options: Options) -> Any:
    """Read the values: JSON as it was typed, or that of stdin."""
    typed = sys.stdin.read() if options.values in (None, "-") else options.values
    try:
        return json.loads(typed)
    except ValueError as error:
        raise Failure(Exit.USAGE, _("VALUES is not JSON: {reason}", reason=error)) from error
    except RecursionError as error:
        raise Failure(Exit.USAGE, _("{name} is nested too deeply", name="VALUES")) from error


def _with_values(name: str, options: Options) -> int:
    arguments = {"section": options.section, "values": _values(options)}
    revision = getattr(options, "revision", None)
    return show_plain(options, gateway(options.data).call(name, arguments, revision=revision))


def _with_token(name: str, options: Options) -> int:
    arguments = {"token": options.token}
    return show_plain(options, gateway(options.data).call(name, arguments, revision=options.revision))


def _token(parser: Parser) -> None:
    parser.add_argument(
        "--token", default="", help=_("of the change, as it was told when it began (default: that which is on trial)")
    )


def _differs(key: str, settings: list[str]) -> str:
    return _(
        "{section}: other values are kept than are in use ({settings}). Use them: otppi network apply {section}; keep "
        "those in use: otppi network adopt {section}",
        section=key,
        settings=", ".join(settings),
    )


def _status(options: Options, told: Any) -> int:
    """Show the trial, and where other values are kept than are in use."""
    shown = {key: value for key, value in told.items() if key != "differs"}
    lines = [*plain_lines(shown), *(_differs(key, settings) for key, settings in told["differs"].items())]
    show(options, told, lines)
    return Exit.DONE


def _shown(options: Options, sections: Any) -> int:
    """Show each part by itself: what is in use, or what is kept and why no more is known."""
    lines = []
    for key, one in sections.items():
        lines.append(f"{key}: {one['problem']}" if one["problem"] else f"{key}:")
        lines += [f"  {line}" for line in plain_lines(one["in_use"] or one["kept"])]
        if one["differs"]:
            lines.append(_differs(key, one["differs"]))
    show(options, sections, lines)
    return Exit.DONE


OWN = {
    "network show": Own(show=_shown),
    "network status": Own(show=_status),
    "network apply": Own(hidden=_TOKEN),
    "network check": Own(partial(_with_values, "network_check")),
    "network change": Own(partial(_with_values, "network_change"), hidden=_TOKEN),
    "network confirm": Own(partial(_with_token, "network_confirm"), arguments=_token, hidden=_TOKEN),
    "network revert": Own(partial(_with_token, "network_revert"), arguments=_token, hidden=_TOKEN),
}
