"""The page of the monitor, as its template is told it: what is shown, filtered, and the words for states."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from otppi.admin.live.snapshot import Part
from otppi.admin.rendering import states
from otppi.admin.rendering.formats import number
from otppi.api.egress import EgressState
from otppi.api.message import State
from otppi.text import _
from otppi.text.languages import translated
from otppi.text.states import ORIGINS, egress_said, origin_said, said

FILTERS = ("source", "modem", "state")
"""What rows are filtered by; also the names of the fields."""

_PARTS = (
    *EgressState,
    *("running", "stalled", "connected", "connecting", "waiting to be started again"),
    *("blocked until its settings are changed", "ok", "degraded", "down"),
)

NOTHING: Final[Mapping[str, Any]] = MappingProxyType(
    dict.fromkeys(
        ("name", "title", "state", "since", "problem", "operator", "signal_word", "time", "receiver", "cause"), ""
    )
    | dict.fromkeys(("id", "source", "sender", "modem"), "")
    | dict.fromkeys(("signal", "today", "balance", "next_step", "seconds"))
    | dict.fromkeys(("queued", "segments"), 0)
)
"""What the patterns are drawn of, by which the script makes cards and rows."""


def page_values(shown: Part, wanted: Mapping[str, str], language: str) -> dict[str, Any]:
    """Return what the template is told.

    Args:
        shown: A snapshot.
        wanted: What the rows are filtered by, as a form or a link named it; anything may stand there.
        language: Of whoever looks at the page.
    """
    filters = {name: wanted.get(name, "") for name in FILTERS}
    told = words(language)
    titles = {one["name"]: _in(one["title"], language) for one in shown["sources"]}
    told["origins"] = titles | told["origins"]
    rows = [one for one in shown["messages"] if all(one[name] == value for name, value in filters.items() if value)]
    return {
        "shown": shown,
        "rows": [_row(one, told, language) for one in rows],
        "filters": filters,
        "choices": {
            "source": _named([*shown["sources"], *_of(shown, "source")], told["origins"]),
            "modem": _named([*shown["modems"], *_of(shown, "modem")], {}),
            "state": [(state, word) for state, (_level, word) in told["messages"].items()],
        },
        "words": told,
        "nothing": NOTHING,
        "no_row": _row(NOTHING, told, language),
    }


def _row(message: Mapping[str, Any], told: Mapping[str, Any], language: str) -> dict[str, str]:
    """Return a message as it is shown: there are fifty, and a template would take three times as long for them."""
    level, word = told["messages"].get(message["state"], ("off", ""))
    sender, cause, seconds = message["sender"], message["cause"], message["seconds"]
    time = message["time"]
    source = told["origins"].get(message["source"], message["source"])
    return {
        **{name: message[name] for name in ("id", "source", "modem", "state", "receiver")},
        "level": level,
        "word": word,
        "time": time.replace(":", ".") if language == "id" else time,
        "from": f"{source} ({sender})" if sender else source,
        "segments": str(message["segments"] or ""),
        "seconds": "" if seconds is None else f"{number(seconds, language, 1)} {told['second']}",
        "cause": cause[language] if isinstance(cause, dict) else cause,
    }


def words(language: str) -> dict[str, Any]:
    """Return the words for states, with how each looks, and the sentences of the script, in a language."""
    told = {
        "messages": {state.value: (states.level(state), said(state.value)) for state in State},
        "parts": {str(state): (states.level(state), egress_said(str(state))) for state in _PARTS},
        "origins": {name: origin_said(name) for name in ORIGINS},
        "news": _("New messages: {count}; not sent: {failed}", count="{count}", failed="{failed}"),
        "pause": _("Pause"),
        "resume": _("Continue"),
        "paused": _("Paused. What comes is not shown."),
        "second": _("s"),
        "segments": _("Segments"),
        "since": _("since"),
        "silent": _("No connection to the device. It is tried again."),
    }
    spoken: dict[str, Any] = translated(told, language)
    return spoken


def _in(said_in_all: Any, language: str) -> str:
    """Return a title in a language: where it differs by language it comes as all of them."""
    return str(said_in_all[language] if isinstance(said_in_all, Mapping) else said_in_all)


def _of(shown: Part, name: str) -> list[Part]:
    return [{"name": one[name]} for one in shown["messages"]]


def _named(parts: list[Part], titles: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return each name once, as a value and what is shown of it."""
    return [(name, titles.get(name, name)) for name in dict.fromkeys(one["name"] for one in parts) if name]
