"""The answers to `request-otp` and `verify-otp`: what a code's message, and a verification, look like to the sender."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from otppi.api.ingress import Origin
from otppi.host.messages.answers import MessageTicket, Outcome
from otppi.host.messages.dispatch import Dispatch
from otppi.host.otp.one_time import OneTimePasswords, Verification
from otppi.host.records.record import Record
from otppi.text import _
from otppi.wire.envelope import Answer, Item


class OtpTicket(MessageTicket):
    """The ticket of `request-otp`: that of a sent message, and what the code is for.

    Args:
        asked: Of each item reference and receiver as they were sent.
    """

    def __init__(
        self,
        command: str,
        items: Sequence[Record | Outcome],
        duplicates: frozenset[int],
        dispatch: Dispatch,
        *,
        as_list: bool,
        asked: Sequence[Mapping[str, Any]],
    ) -> None:
        super().__init__(command, items, duplicates, dispatch, as_list=as_list)
        self._asked = asked

    def _now(self) -> Answer:
        answer = super()._now()
        entries: Sequence[Any] = answer.data if isinstance(answer.data, Sequence) else [answer.data]
        shown = [
            {**entry, **asked, **_times(item)}
            for entry, asked, item in zip(entries, self._asked, self._items, strict=True)
        ]
        return replace(answer, data=shown if isinstance(answer.data, Sequence) else shown[0])


def _times(item: Record | Outcome) -> dict[str, int]:
    if isinstance(item, Outcome):
        return {}
    return {"date_time": int(item.created), "expiration": int(item.expires)}


def verify(passwords: OneTimePasswords, item: Item, receiver: str | None, path: str, origin: Origin) -> Outcome:
    """Verify one code; `path` names the item in the request. Its sender is told the receiver as it was sent."""
    done = passwords.verify(item, receiver, origin)
    data: dict[str, Any] = {
        "id": item.id,
        "reference": item.reference,
        "date_time": int(time.time()) if item.date_time is None else item.date_time,
    }
    if item.receiver is not None:
        data["receiver"] = item.receiver
    return Outcome(done.code, data | _details(done, path))


def _details(done: Verification, path: str) -> dict[str, Any]:
    if done.ambiguous:
        reason = _("is needed: one-time passwords of several receivers wait for this reference")
        return {"errors": [{"field": f"{path}receiver", "reason": reason}]}
    details = {"cause": done.cause, "attempts_left": done.attempts_left, "retry_after": done.retry_after}
    return {key: value for key, value in details.items() if value not in ("", None)}
