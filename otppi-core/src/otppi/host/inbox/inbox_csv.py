"""The inbox as CSV (RFC 4180), for the administrator's own download: the one way by which its texts leave as a file."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from otppi.api.ingress import ReceivedMessage
from otppi.kit.spreadsheets import quoted

_TITLES: Final = ("message_id", "arrived", "sent", "modem", "sender", "text", "read", "missing_parts", "damaged")


def written(messages: Iterable[ReceivedMessage]) -> Iterable[str]:
    """Write messages, line by line with their ends; times are in UTC. What a spreadsheet would run is quoted."""
    yield _line(_TITLES)
    for one in messages:
        yield _line((
            one.message_id, _moment(one.arrived), _moment(one.sent), one.modem, one.originator, one.text,
            _switch(one.read), " ".join(map(str, one.missing)), _switch(one.damaged),
        ))  # fmt: skip


def _line(cells: Iterable[str]) -> str:
    return ",".join(map(quoted, cells)) + "\r\n"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _switch(value: bool) -> str:
    return "yes" if value else "no"
