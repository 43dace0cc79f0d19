"""Deliveries that wait for something else than their turn: nobody works on them, so they hold up no others."""

import threading
from typing import Any

from otppi.kit.broker.work import Work

_MOST = 512
_MOST_BYTES = 8 << 20
"""For so many deliveries, and so many octets of them, room is made beside what is being worked on."""


class Parking:
    """What is parked: it could not be sent, or its modem is away or has quiet hours. Any thread.

    A broker hands over only so many deliveries that are not settled. What is parked would use that up, and then nothing
    that could be sent would come; so who sets how many adds `room`. What is more than that waits in the broker.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parked: set[Work] = set()
        self._bytes = 0

    def put(self, work: Work) -> bool:
        """Park a delivery; False where it is parked already."""
        with self._lock:
            if work in self._parked:
                return False
            self._parked.add(work)
            self._bytes += len(work.delivery.body)
            return True

    def park(self, work: Work) -> None:
        """Take a delivery out, if it is there: it is worked on again, or settled."""
        with self._lock:
            if work in self._parked:
                self._parked.remove(work)
                self._bytes -= len(work.delivery.body)

    def __len__(self) -> int:
        return len(self._parked)

    @property
    def room(self) -> int:
        """For how many of them there is room beside the others."""
        with self._lock:
            room = min(len(self._parked), _MOST)
            return room if self._bytes <= _MOST_BYTES else room * _MOST_BYTES // self._bytes

    def tags(self) -> set[Any]:
        """Return the tags of what is parked and kept by the broker."""
        with self._lock:
            return {work.delivery.tag for work in self._parked if work.delivery.kept}


def steps(count: int) -> int:
    """Return a room for so many that need not be changed with each of them: twice as much each time, as far as it goes.

    For protocols in which a change of what may be handed over costs a connection or a subscription.
    """
    return min(max(8, 1 << (count - 1).bit_length()), _MOST) if count else 0
