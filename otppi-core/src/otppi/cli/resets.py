"""`otppi reset`: parts of the device as they were when it was new, after a question that cannot be overlooked."""

import sys
from collections.abc import Mapping
from typing import Any

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit, Failure
from otppi.cli.generated import Own
from otppi.cli.language import _, spoken
from otppi.cli.output import cell, columns, moment, show
from otppi.cli.talk import ask, directly, running


def _yes(parser: Parser) -> None:
    parser.add_argument("--yes", action="store_true", help=_("do not ask, as in a script"))


def _reset(options: Options) -> int:
    """Reset parts; tell what goes before, and ask."""
    chosen: dict[str, Any] = {"groups": options.groups or [], "wipe_secrets": bool(options.wipe_secrets)}
    told = ask(options.data, "reset_groups", **chosen, dry_run=True)
    if options.dry_run:
        show(options, told, told["resets"])
        return Exit.DONE
    if not options.yes:
        _confirm(told)
    runs = running(options.data) is not None
    done = ask(options.data, "reset_groups", **chosen)
    if not runs:
        with directly(options.data):  # whoever opens the folder next carries it out
            pass
    restarting = _("the gateway restarts with it")
    end = restarting if done["restarting"] else _("it is done at the next start") if runs else _("it is reset")
    show(options, done, [end])
    return Exit.DONE


def _confirm(told: Mapping[str, Any]) -> None:
    """Have a person type a word.

    Raises:
        Failure: Another one was typed, or nobody is there to type it.
    """
    if not sys.stdin.isatty():
        raise Failure(Exit.USAGE, _("say --yes where nobody is there to be asked"))
    for one in told["resets"]:
        print(one)
    word = str(spoken(_("yes")))
    if input(spoken(_("This is reset, and gone. Type {word}: ", word=word))).strip().lower() != word:
        raise Failure(Exit.USAGE, _("nothing was reset"))


def _status(options: Options, told: Mapping[str, Any]) -> int:
    shown = {**told, "last_at": moment(told["last_at"]) if told["last_at"] else None}
    width = max(map(len, shown))
    show(options, told, [f"{key:<{width}} {cell(value)}" for key, value in shown.items()])
    return Exit.DONE


def _parts(options: Options, told: list[dict[str, Any]]) -> int:
    show(options, told, columns(told, {"part": _("PART"), "resets": _("WHAT IS RESET WITH IT")}))
    return Exit.DONE


OWN = {
    "reset groups": Own(_reset, arguments=_yes),
    "reset status": Own(show=_status),
    "reset parts": Own(show=_parts),
}
