"""What is to be done with a broker's message once its answer is known: acknowledge, dead-letter, or requeue."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from otppi.api.message import State
from otppi.wire.envelope import Command, ResponseCode

_SENDING = frozenset({Command.SEND_SMS, Command.SEND_MAIL, Command.SEND_MESSAGE, Command.REQUEST_OTP})
_WAITS = frozenset({ResponseCode.NO_MODEM, ResponseCode.QUEUE_FULL})
_NEVER = frozenset({ResponseCode.FAILED, ResponseCode.EXPIRED, ResponseCode.BLOCKED, ResponseCode.TOO_MANY})


class Verdict(Enum):
    """What is to be done with a delivery."""

    DONE = auto()
    """It has come to its end, good or bad: acknowledge it."""
    NEVER = auto()
    """It can never be sent: reject it, so that a broker that has a dead-letter queue puts it there."""
    AGAIN = auto()
    """Nothing went out, and it may be sent later, here or by another gateway: give it back."""


def verdict_of(command: Command, code: ResponseCode, data: Mapping[str, Any]) -> Verdict:
    """Judge one message's answer, or that of one item of a list.

    A message that may have gone out (1207) is done: whoever puts it back into a queue sends it twice.
    """
    if code is ResponseCode.MALFORMED:
        return Verdict.NEVER
    if command not in _SENDING:
        return Verdict.DONE
    state = data.get("state")
    if state in (State.EXPIRED.value, State.BLOCKED.value):
        return Verdict.NEVER
    if code in _WAITS:
        return Verdict.AGAIN
    if code is ResponseCode.DUPLICATE and state == State.FAILED.value:
        return Verdict.AGAIN  # the earlier one was not sent after all, so this one may be
    return Verdict.NEVER if code in _NEVER else Verdict.DONE
