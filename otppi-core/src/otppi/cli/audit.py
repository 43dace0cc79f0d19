"""`otppi audit`: who asked for what, and what became of it."""

from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
from otppi.cli.language import spoken
from otppi.cli.output import columns, complain, moment, show
from otppi.text import _

_COLUMNS = {
    "at": "ENDED",
    "by": "BY",
    "operation": "OPERATION",
    "subject": "SUBJECT",
    "fields": "FIELDS",
    "outcome": "OUTCOME",
    "detail": "DETAIL",
}
_OUTCOMES = {str(word): word for word in (_("done"), _("refused"), _("failed"))}


def _shown(options: Options, entries: Any) -> int:
    show(options, entries, columns([_row(one) for one in entries], _COLUMNS))
    if not entries:
        complain(spoken(_("nothing was asked for that the audit tells of")))
    return Exit.DONE


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    address = f" ({entry['address']})" if entry["address"] else ""
    by = f"{entry['origin']}/{entry['actor']}{address}"
    outcome = spoken(_OUTCOMES.get(entry["outcome"], entry["outcome"]))
    return entry | {"at": moment(entry["at"]), "by": by, "outcome": outcome}


OWN = {"audit": Own(show=_shown)}
