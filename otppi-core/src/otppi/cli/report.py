"""`otppi report`: what became of messages, by single ones and in sums."""

from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import columns, complain, moment, show

_MESSAGES = {
    "ended": "ENDED",
    "message_id": "MESSAGE",
    "from": "FROM",
    "receiver": "RECEIVER",
    "egress": "BY",
    "segments": "SEGMENTS",
    "state": "STATE",
    "price": "PRICE",
}
_HEADS = {"day": "DAY", "modem": "MODEM", "prefix": "PREFIX", "user": "USER", "state": "STATE"}


def _listed(options: Options, answer: Any) -> int:
    rows = [
        one | {"ended": moment(one["ended"]), "from": f"{one['ingress']}/{one['user']}", "price": one["price"] or None}
        for one in answer["messages"]
    ]
    show(options, answer, columns(rows, _MESSAGES))
    if answer["further"] and not options.json:
        complain(_further(answer))
    elif not rows and not options.json:
        complain(_("nothing was found"))
    return Exit.DONE


def _further(answer: Any) -> str:
    if answer["stopped"] and answer["reached"]:
        return _(
            "searched back to {moment}; go on with: --place {place}",
            moment=moment(answer["reached"]),
            place=answer["further"],
        )
    return _("go on with: --place {place}", place=answer["further"])


def _summed(options: Options, answer: Any) -> int:
    states = sorted(answer["total"]["states"], key=lambda state: -answer["total"]["states"][state])
    titles = {"value": _HEADS[answer["by"]], "messages": "MESSAGES"}
    titles |= {state: state.upper() for state in states} if answer["by"] != "state" else {}
    titles |= {"segments": "SEGMENTS", "price": "PRICE"}
    rows = [one | one["states"] for one in answer["rows"]]
    rows.append(answer["total"] | answer["total"]["states"] | {"value": _("total")})
    show(options, answer, columns(rows, titles))
    if answer["lacking"] and not options.json:
        months = ", ".join(answer["lacking"])
        complain(_("these months lack part, which a gateway makes, or otppi report make-sums: {months}", months=months))
    if answer["mixed"] and not options.json:
        complain(
            _.plural(
                "{count} message is left out: its day had more combinations than are kept",
                "{count} messages are left out: their days had more combinations than are kept",
                count=answer["mixed"],
            )
        )
    return Exit.DONE


OWN = {"report list": Own(show=_listed), "report sums": Own(show=_summed)}
