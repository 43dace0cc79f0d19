"""The log: what the gateway keeps of it in RAM, filtered, as it comes, and as a file."""

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from otppi.admin.live.log import shown
from otppi.admin.pages.answers import drawn, perform, text_of, visit
from otppi.admin.pages.downloads import downloaded
from otppi.admin.pages.streams import streamed
from otppi.admin.parts import Parts
from otppi.admin.security.guard import page
from otppi.api.operations import Role
from otppi.host.log.operations import LEVELS, MOST
from otppi.text import Text, _
from otppi.text.languages import translated

LEVEL_WORDS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "debug": _("debug"),
        "info": _("info"),
        "warning": _.in_context("a level of the log", "warning"),
        "error": _.in_context("a level of the log", "error"),
        "critical": _("critical"),
    }
)
_CHOICES: Final = (("debug", _("All")), ("warning", _("Warnings and errors")), ("error", _("Errors")))
_FILTERS: Final = ("level", "room", "words")
_ROWS: Final = 150
_LONGEST_PAGE: Final = 40_000
"""Characters of the lines that a page shows."""
_LONGEST_WORDS: Final = 200


class LogPages:
    """`/system/log`, its events, and the file."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page(Role.ADMINISTRATOR)
    def index(self, **fields: Any) -> bytes:
        """Show the newest lines, newest first; without its script, once."""
        filters = _filters(fields)
        lines: Sequence[Mapping[str, Any]] = perform(self._parts, "log", limit=MOST)
        rooms = sorted({one["room"] for one in lines})
        found = perform(self._parts, "log", **filters, limit=_ROWS)
        language = visit().language
        return drawn(
            self._parts,
            "system_log.html",
            rows=[shown(one) for one in _as_many_as_fit(found)],
            filters=filters,
            levels=_CHOICES,
            rooms=rooms,
            last=max((one["number"] for one in lines), default=0),
            nothing=dict.fromkeys(("number", "time", "level", "look", "room", "text"), ""),
            level_words=LEVEL_WORDS,
            words=translated(_script_words(), language),
            zone=time.localtime().tm_zone,
        )

    @page(Role.ADMINISTRATOR, background=True)
    def events(self, **fields: Any) -> bytes:
        """Tell the lines that come after the one that the page says."""
        return streamed(self._parts, self._parts.live_log, text_of(fields, "after"), Role.ADMINISTRATOR)

    @page(Role.ADMINISTRATOR)
    def download(self, **fields: Any) -> bytes:
        """Give all that is kept, as it is filtered, as a text."""
        lines = perform(self._parts, "log", **_filters(fields), limit=MOST)
        return downloaded("otppi-log.txt", "text/plain; charset=utf-8", log_text(lines).encode(errors="replace"))


def log_text(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return lines as a text, oldest first, with times as RFC 3339 has them."""
    return "".join(f"{_moment(one['at'])} {one['level'].upper():<8} {one['text']}\n" for one in lines)


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(at))


def _filters(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return what a form or a link wants to see; what makes no sense is left out."""
    level = text_of(fields, "level")
    room, words = text_of(fields, "room"), text_of(fields, "words").strip()
    return {
        "level": level if level in LEVELS else LEVELS[0],
        "room": room if room.isprintable() else "",
        "words": " ".join(words.replace("\0", " ").split())[:_LONGEST_WORDS],
    }


def _as_many_as_fit(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the newest lines, newest first, that a page has room for."""
    rows, size = [], 0
    for one in reversed(lines):
        size += len(one["text"])
        if size > _LONGEST_PAGE:
            break
        rows.append(one)
    return rows


def _script_words() -> dict[str, Any]:
    return {
        "levels": dict(LEVEL_WORDS),
        "pause": _("Pause"),
        "resume": _("Continue"),
        "paused": _("Paused. What comes is not shown."),
        "silent": _("No connection to the device. It is tried again."),
        "left_out": _("{count} lines are left out here: too many came at once.", count="{count}"),
    }
