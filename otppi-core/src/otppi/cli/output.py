"""What a command prints: JSON for scripts, columns and lines for people, control characters always escaped."""

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.language import spoken
from otppi.text import _
from otppi.text.states import said

_STDIN, _STDOUT, _STDERR = range(3)
# DEL, C1 (CSI among them), line and paragraph separators, the marks that turn the direction of a line round (Unicode
# Bidi_Control), and halves of surrogate pairs, which no stream takes.
_BEYOND_C0 = "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROLS = re.compile(f"[\x00-\x1f{_BEYOND_C0}]")
_CONTROLS_IN_LINES = re.compile(f"[\x00-\x09\x0b-\x1f{_BEYOND_C0}]")
_RAW_IN_JSON = re.compile(f"[{_BEYOND_C0}]")


def open_streams() -> None:
    """Have /dev/null where a standard stream was closed at the start, lest a file of ours takes its number."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(descriptor)
    sys.stdin = sys.stdin or os.fdopen(_STDIN, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(_STDOUT, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(_STDERR, "w", closefd=False)


def one_line(text: str) -> str:
    """Write a text in one line, with its control characters escaped as Python escapes them."""
    said: str = spoken(text)
    return said if said.isprintable() else _CONTROLS.sub(_escape, said)  # what is printable is no control character


def as_json(value: Any, indent: int | None = None) -> str:
    """Write JSON that a terminal may be shown: readable, and its control characters escaped (RFC 8259 7)."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return _RAW_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def show(options: Options, value: Any, lines: Iterable[str]) -> None:
    """Print a command's result: the value as JSON where `--json` asks for it, else the lines."""
    if options.json:
        print(as_json(value, indent=2))
    else:
        for line in lines:
            print(_CONTROLS_IN_LINES.sub(_escape, spoken(line)))


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def complain(*lines: str) -> None:
    """Tell errors on stderr, each in one line that names the program."""
    for line in lines:
        print(f"otppi: {one_line(line)}", file=sys.stderr)


_TITLES = {
    str(title): title
    for title in (
        _("ACTIVE"),
        _("ALARM"),
        _("AT"),
        _("CAUSE"),
        _("CHANGE"),
        _("LAST"),
        _("ON"),
        _("RECIPIENT"),
        _("RECIPIENTS"),
        _("TOLD"),
        _("WAY"),
        _("ADDRESS"),
        _("APN"),
        _("ATTEMPTS"),
        _("BALANCE"),
        _("BLOCKED"),
        _("BY"),
        _("DBM"),
        _("DETAIL"),
        _("DIAL"),
        _("DISTRIBUTION"),
        _("ERROR"),
        _("FAULT"),
        _("NAME"),
        _("OFFERS"),
        _("SUMMARY"),
        _("VERSION"),
        _("ENDED"),
        _("FIELDS"),
        _("OPERATION"),
        _("OUTCOME"),
        _("SUBJECT"),
        _("EMAIL"),
        _("FROM"),
        _("IMEI"),
        _("INTERFACE"),
        _("KEY"),
        _("LOW"),
        _("MADE"),
        _("MANUFACTURER"),
        _("MESSAGE"),
        _("MODEL"),
        _("MODEM"),
        _("MONTH"),
        _("NETWORKS"),
        _("NEW"),
        _("NOTE"),
        _("NOW"),
        _("NUMBER"),
        _("OLD"),
        _("ON THE WAY"),
        _("OPERATOR"),
        _("PASSWORD"),
        _("PHONE"),
        _("PORT"),
        _("PRESET"),
        _("PRICE"),
        _("PROBLEM"),
        _("QUEUED"),
        _("READ"),
        _("RECEIVERS"),
        _("REGISTRATION"),
        _("SENT"),
        _("SIM"),
        _("SINCE"),
        _("SPENT TODAY"),
        _("STATE"),
        _("TEXT"),
        _("THIS MONTH"),
        _("THUMBPRINT"),
        _("TODAY"),
        _("TOKENS"),
        _("TYPE"),
        _("UNTIL"),
        _("USER"),
        _("USERNAME"),
        _("INGRESS"),
        _("SERVICE"),
        _("DAY"),
        _("PREFIX"),
        _("RECEIVER"),
        _("SEGMENTS"),
        _("MESSAGES"),
        _("DELIVERED"),
        _("UNDELIVERED"),
        _("FAILED"),
        _("EXPIRED"),
        _("UNCONFIRMED"),
        _("LOST"),
    )
}


def columns(rows: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> list[str]:
    """Write rows under their titles (`{key: title}`), each column as wide as it needs to be; none where no row is."""
    if not rows:
        return []
    heads = [spoken(_TITLES.get(title, title)) for title in titles.values()]
    table = [heads, *([cell(_state(key, row.get(key))) for key in titles] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in table]


def _state(key: str, value: Any) -> Any:
    return said(value) if key == "state" and isinstance(value, str) else value


def cell(value: Any) -> str:
    """Write a value for a person: yes and no, lists and objects with commas, a dash for nothing."""
    if isinstance(value, bool):
        return str(spoken(_("yes") if value else _("no")))
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {cell(one)}" for key, one in value.items()) or "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(cell, value)) or "-"
    return "-" if value is None or value == "" else one_line(value if isinstance(value, str) else str(value))


def moment(unix: float) -> str:
    """Write a Unix time in the time zone of this device."""
    return datetime.fromtimestamp(unix, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
