"""What is to be published, and what was and is not confirmed yet (RECEIPT); finds out which destination is refused.

A server that refuses a SEND says so in an ERROR frame that need not name the SEND, and hangs up (STOMP 1.2, "ERROR").
The message that wanted the answer is then delivered again, and so is its answer: for ever, if nobody saw to it. So the
destinations that were written to last are suspects: over the next connection each is tried alone.
"""

import itertools
import logging
import time
from collections import deque
from dataclasses import dataclass

from otppi.kit.broker.outbox import Action
from otppi.kit.bursts import Bursts
from otppi_ingress_stomp.messages import destination

logger = logging.getLogger(__name__)

_REFUSED_FOR = 600.0
_MOST_REFUSED = 1_000


@dataclass(frozen=True, slots=True)
class Sending:
    """A SEND that waits to be confirmed."""

    receipt: str
    destination: str
    action: Action
    since: float


class Publisher:
    """The connection's thread only.

    Args:
        lines: For what is logged of single answers.
    """

    def __init__(self, lines: Bursts) -> None:
        self._lines = lines
        self._waiting = deque[Action]()
        self._sent: dict[str, Sending] = {}
        self._suspects: set[str] = set()
        self._refused: dict[str, float] = {}
        self._number = itertools.count(1)

    @property
    def is_busy(self) -> bool:
        """Whether something is not published, or not confirmed."""
        return bool(self._waiting or self._sent)

    def put(self, action: Action) -> bool:
        """Add what is to be published; False where its destination was refused, so that it never will be."""
        if self._is_refused(_destination(action)):
            message = "ingress-stomp: an answer is not published: %s was refused"
            self._lines.log(logging.WARNING, "answers not published, refused before", message, _destination(action))
            return False
        self._waiting.append(action)
        return True

    def next(self) -> Sending | None:
        """Return what is to be sent now; a suspect alone."""
        if not self._waiting:
            return None
        where = _destination(self._waiting[0])
        alone = where in self._suspects or any(one.destination in self._suspects for one in self._sent.values())
        if alone and self._sent:
            return None
        sending = Sending(f"s{next(self._number)}", where, self._waiting.popleft(), time.monotonic())
        self._sent[sending.receipt] = sending
        return sending

    def confirmed(self, receipt: str) -> Action | None:
        """Take note that the server has what was sent; return what can be settled now."""
        sending = self._sent.pop(receipt, None)
        if sending is None:
            return None
        self._suspects.discard(sending.destination)
        return sending.action

    def oldest(self) -> float | None:
        """Return since when (monotonic seconds) the first one waits for its confirmation."""
        return next((sending.since for sending in self._sent.values()), None)

    def refused(self, receipt: str | None) -> None:
        """Find out whose destination an ERROR frame means, which may name it by a receipt."""
        if receipt in self._sent:
            culprit = self._sent[receipt].destination
        elif len(self._sent) == 1:
            culprit = next(iter(self._sent.values())).destination
            if culprit not in self._suspects:  # it may have been something else
                self._suspects.add(culprit)
                return
        else:
            self._suspects.update(sending.destination for sending in self._sent.values())
            return
        self._suspects.discard(culprit)
        if len(self._refused) >= _MOST_REFUSED:
            self._refused.pop(next(iter(self._refused)))
        self._refused[culprit] = time.monotonic()
        logger.warning("ingress-stomp: the server refuses answers on %s; none is published there for a while", culprit)

    def lost(self) -> list[Action]:
        """Return what is to be published over the next connection: all that no delivery depends on."""
        left = [*(sending.action for sending in self._sent.values()), *self._waiting]
        self._sent.clear()
        self._waiting.clear()
        return [action for action in left if action.delivery is None]

    def _is_refused(self, where: str) -> bool:
        since = self._refused.get(where)
        if since is not None and time.monotonic() - since > _REFUSED_FOR:
            del self._refused[where]
            return False
        return since is not None


def _destination(action: Action) -> str:
    return destination(action.callback.topic) if action.callback is not None else ""
