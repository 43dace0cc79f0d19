"""What the monitor shows: sources, the gateway, modems and the last messages, as plain values without texts.

It is put together of what operations tell, of each only what is named here. Sentences and times that differ by
language are objects of all languages, as the same octets go to all browsers; the words for states are those of pages.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from otppi.admin.rendering.formats import moment
from otppi.admin.rendering.states import signal_said
from otppi.api.operations import Actor, Role
from otppi.host.ingresses.described import state_of
from otppi.host.runtime.registry import Registry
from otppi.text import Text
from otppi.text.languages import languages, translated
from otppi.text.states import step_said

MESSAGES = 50
"""How many messages are shown."""
STATE_PARTS = ("gateway", "sources", "modems")
"""What a snapshot has beside its messages."""

_ACTOR = Actor("monitor", "administration", Role.VIEWER)

Sentence = str | dict[str, str]
"""A plain string, or what it is in each language."""
Part = dict[str, Any]


class GatewayView:
    """Looks at a gateway by its operations, as whoever may only look. Any thread."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def state(self) -> Part:
        """Return how the gateway, its sources and its modems are; the keys are `STATE_PARTS`."""
        status = self._ask("status")
        modems = [_modem(one) for one in self._ask("modems")]
        return {
            "gateway": _gateway(status),
            "sources": [_source(one) for one in status["ingresses"]],
            "modems": [*modems, *(_account(one) for one in status.get("mail_accounts", ()))],
        }

    def messages(self) -> list[Part]:
        """Return the last messages, newest first."""
        return [_message(one) for one in self._ask("messages", limit=MESSAGES)]

    def snapshot(self) -> Part:
        """Return all that is shown, and the device's time, by which browsers count."""
        return {**self.state(), "messages": self.messages(), **clock()}

    def _ask(self, operation: str, **arguments: Any) -> Any:
        return self._registry.call(operation, arguments, _ACTOR)


def clock() -> Part:
    """Return the device's time in Unix seconds, and what its zone is called."""
    now = time.time()
    return {"now": round(now), "zone": time.localtime(now).tm_zone}


def sentence_of(words: str | None) -> Sentence:
    """Return what a person reads in each language; as it is where that makes no difference."""
    return _each(lambda language: str(translated(words, language))) if isinstance(words, Text) else words or ""


def moment_of(seconds: float) -> Sentence:
    """Return a time (Unix seconds) as people read it in each language, in the device's zone."""
    return _each(lambda language: moment(seconds, language))


def _each(say: Callable[[str], str]) -> Sentence:
    said = {language: say(language) for language in languages()}
    return said if len(set(said.values())) > 1 else next(iter(said.values()))


def _gateway(status: Mapping[str, Any]) -> Part:
    problems = [status["power_supply"], *status["problems"]]
    return {
        "state": status["status"],
        "started": moment_of(status["started"]),
        "version": status["version"],
        "queued": status["queued"],
        "warnings": [sentence_of(one) for one in (*status["warnings"], *problems) if one],
    }


def _source(ingress: Mapping[str, Any]) -> Part:
    state, problem = state_of(ingress)
    return {
        "name": ingress["name"],
        "title": sentence_of(ingress["title"]),
        "state": state,
        "since": moment_of(ingress["since"]),
        "problem": sentence_of(problem),
    }


def _modem(modem: Mapping[str, Any]) -> Part:
    last, planned = modem["last_recovery"], modem["next_step"]
    problem = modem["detail"] or modem["unusable"] or (last["cause"] if last and modem["state"] != "ready" else "")
    return {
        "channel": "sms",
        "name": modem["modem_id"],
        "state": modem["state"],
        "since": moment_of(modem["since"]),
        "problem": sentence_of(problem),
        "operator": modem["operator"] or "",
        "signal": modem["signal_dbm"],
        "signal_word": sentence_of(signal_said(modem["signal_dbm"])),
        "queued": modem["queued"],
        "today": modem["usage"]["today"]["messages"],
        "balance": modem.get("balance"),
        "balance_low": bool(modem.get("balance_low")),
        "next_step": planned and {"step": sentence_of(step_said(planned["step"])), "at": planned["at"]},
    }


def _account(account: Mapping[str, Any]) -> Part:
    return {
        "channel": "mail",
        "name": account["mail_account"],
        "state": account["state"],
        "since": moment_of(account["since"]),
        "problem": sentence_of(account["detail"] or account["unusable"]),
        "operator": "",
        "signal": None,
        "signal_word": "",
        "queued": account["queued"],
        "today": None,
        "balance": None,
        "balance_low": False,
        "next_step": None,
    }


def _message(message: Mapping[str, Any]) -> Part:
    created, finished = message["created"], message["finished"]
    return {
        "id": message["message_id"],
        "time": time.strftime("%H:%M:%S", time.localtime(created)),
        "source": message["ingress"],
        "sender": message["sender"],
        "receiver": message["receiver"],
        "modem": message["egress"] or "",
        "segments": message["segments"],
        "seconds": None if finished is None else max(0.0, round(finished - created, 1)),
        "state": message["state"],
        "cause": sentence_of(message["cause"]),
    }


def changed_messages(before: Sequence[Part], after: Sequence[Part]) -> list[Part]:
    """Return which of the messages are new or have changed, newest first."""
    known = {one["id"]: one for one in before}
    return [one for one in after if known.get(one["id"]) != one]
