"""What is to be done with a broker's message once its answer is known: acknowledge, dead-letter, or requeue."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from otppi.api.message import State
from otppi.wire.envelope import Command, ResponseCode

_SENDING = frozenset({Command.SEND_SMS, Command.SEND_MAIL, Command.SEND_MESSAGE, Command.REQUEST_OTP})
_ORDERS = _SENDING | {Command.BLOCK_MSISDN, Command.UNBLOCK_MSISDN}
"""Commands that are to be carried out; the others ask, and whatever they are answered they are answered."""
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
    """Judge one message's answer, or that of one item of a list; docs/brokers.md has the table.

    A message that may have gone out (1207) is done: whoever puts it back into a queue sends it twice.
    """
    if code is ResponseCode.MALFORMED:
        return Verdict.NEVER
    if command not in _SENDING:
        return Verdict.NEVER if command in _ORDERS and code in _NEVER else Verdict.DONE
    try:
        state = State(data["state"])
    except (KeyError, ValueError):
        return _by_code(code)
    if state in (State.EXPIRED, State.BLOCKED):
        return Verdict.NEVER
    if not state.final:
        return Verdict.AGAIN  # the gateway stops with it; what it keeps for its next start counts there as a duplicate
    if state.went_out:
        return Verdict.DONE
    # The earlier one of a duplicate was not sent after all, so this one may be.
    return Verdict.AGAIN if code is ResponseCode.DUPLICATE else _by_code(code)


def _by_code(code: ResponseCode) -> Verdict:
    if code in _WAITS:
        return Verdict.AGAIN
    return Verdict.NEVER if code in _NEVER else Verdict.DONE
