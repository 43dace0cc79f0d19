"""`otppi block`: what the commands of the blocking list print."""

from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import columns, moment, show


def _added(options: Options, answer: Any) -> int:
    was = _("is blocked now") if answer["changed"] else _("was blocked already")
    show(options, answer, [f"{answer['receiver']} {was}"])
    return Exit.DONE


def _removed(options: Options, answer: Any) -> int:
    was = _("is not blocked any more") if answer["changed"] else _("was not blocked")
    show(options, answer, [f"{answer['receiver']} {was}"])
    return Exit.DONE


def _listed(options: Options, blocked: Any) -> int:
    rows = [one | {"since": moment(one["since"])} for one in blocked]
    show(options, blocked, columns(rows, {"receiver": "NUMBER", "since": "SINCE", "by": "BY"}))
    return Exit.DONE


OWN = {"block add": Own(show=_added), "block list": Own(show=_listed), "block remove": Own(show=_removed)}
