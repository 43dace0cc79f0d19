"""The logins that failed: a line in the log for each, bounded against floods, and counts for status and metrics.

A line names the address, and the user where there is one of that name. Any other name is left out: people type their
passwords into the wrong field.
"""

import logging
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future
from threading import Lock
from typing import Any

from otppi.api.errors import AuthenticationFailed, Busy, OtpPiError, Throttled
from otppi.api.events import LoginFailed, SignedIn
from otppi.host.runtime.events import EventBus
from otppi.kit.bursts import Bursts

logger = logging.getLogger(__name__)

_REASONS: Mapping[type[BaseException], tuple[str, str]] = {
    AuthenticationFailed: ("wrong", "wrong user or password, or the user is not active"),
    Throttled: ("throttled", "too many wrong ones came from there, and it has to be tried again"),
    Busy: ("unchecked", "it could not be checked"),
}
_TOKEN = ("token", "unknown token, or its user is not active")
REASONS = (*(reason for reason, _ in _REASONS.values()), _TOKEN[0])


class LoginLog:
    """Any thread.

    Args:
        events: Is told of each.
        kind: What those are called in the log who log in here.
        counter: The name of the metric.
    """

    def __init__(
        self, events: EventBus | None = None, kind: str = "user", counter: str = "logins_failed_total"
    ) -> None:
        self._events = events or EventBus()
        self._kind = kind
        self._counter = counter
        self._bursts = Bursts(logger, "logins", most=10, period=60.0)
        self._lock = Lock()
        self._counts = Counter(dict.fromkeys(REASONS, 0))
        self._last: dict[str, Any] | None = None

    def failed(self, error: BaseException, user: str | None, address: str) -> None:
        """Note a user's login that failed; `user` is None where there is no user of the name that was given."""
        for kind, reason in _REASONS.items():
            if isinstance(error, kind):
                self._note(*reason, user, address)

    def token_failed(self, address: str) -> None:
        """Note a token that is nobody's."""
        self._note(*_TOKEN, None, address)

    def watch(self, future: "Future[Any]", user: str | None, address: str) -> None:
        """Tell how this login ends, and note it if it fails."""

        def done(ended: "Future[Any]") -> None:
            if isinstance(error := ended.exception(), OtpPiError):
                self.failed(error, user, address)
            elif error is None and user is not None:
                self._events.publish(SignedIn(user, address))

        future.add_done_callback(done)

    def flush(self) -> None:
        """Log how many lines were left out, when a flood is over."""
        self._bursts.flush()

    @property
    def failed_so_far(self) -> int:
        """How many have failed since the start, for whatever reason."""
        return self._counts.total()

    def describe(self) -> dict[str, Any]:
        """Return how many have failed since the start, by reason, and which was the last one."""
        with self._lock:
            return {"failed": dict(self._counts), "last": self._last}

    def counters(self) -> Mapping[str, Mapping[str, float]]:
        """Count for metrics, by reason; neither addresses nor names, of which there may be any number."""
        with self._lock:
            return {self._counter: {f'reason="{name}"': count for name, count in self._counts.items()}}

    def _note(self, reason: str, sentence: str, user: str | None, address: str) -> None:
        with self._lock:
            self._counts[reason] += 1
            self._last = {"at": round(time.time()), "reason": reason, "user": user, "address": address}
        self._events.publish(LoginFailed(user, address, reason))
        who = f"as {self._kind} {user}" if user else f"as a name that is no {self._kind}'s"
        who = "by a token" if reason == _TOKEN[0] else who
        self._bursts.log(
            logging.WARNING, f"failed ones ({reason})", "login from %s %s failed: %s", address, who, sentence
        )
