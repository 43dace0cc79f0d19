"""Forwards events to a URL: one signed POST each, in order, tried again for a while; nobody ever waits for it."""

import hashlib
import hmac
import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import otppi
from otppi.api.errors import OtpPiError, sentence
from otppi.api.events import BalanceLow, MessageChanged, MessageEnded, MessageEvent, MessageReceived
from otppi.host.runtime.events import EventBus
from otppi.host.webhook.settings import WebhookValues
from otppi.kit.net.back_off import Backoff
from otppi.kit.net.link import LinkLost
from otppi.kit.net.tls import verifying_context
from otppi.text import _

if TYPE_CHECKING:
    from otppi.kit.net.http_client import HttpClient

logger = logging.getLogger(__name__)

MESSAGE_RECEIVED = "message.received"
MESSAGE_STATE = "message.state"
MODEM_BALANCE_LOW = "modem.balance_low"
ALARM = "alarm"
_WANTED_BY: Mapping[str, Callable[[WebhookValues], bool]] = {
    MESSAGE_RECEIVED: lambda values: values["messages"],
    MESSAGE_STATE: lambda values: values["states"],
    MODEM_BALANCE_LOW: lambda values: values["balances"],
    ALARM: lambda _: True,  # who posts it knows: section `alarms` says so
}
"""The setting that says whether an event is forwarded."""

TIMESTAMP_HEADER = "OTP-Pi-Timestamp"
SIGNATURE_HEADER = "OTP-Pi-Signature"
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_MAY_WORK_LATER = frozenset({408, 425, 429})
_SERVER_ERROR = 500


class _Refused(OtpPiError):  # noqa: N818
    """The server answered with a status that is no success."""

    def __init__(self, status: int) -> None:
        super().__init__(_("the server answered {status}", status=status))
        self.for_good = status < _SERVER_ERROR and status not in _MAY_WORK_LATER


class PostState(Enum):
    """What has become of an event."""

    WAITING = auto()
    DELIVERED = auto()
    GIVEN_UP = auto()


@dataclass(slots=True, eq=False)
class PostedEvent:
    """One that was queued.

    Attributes:
        body: All that is posted of it.
        attempts: How often it was tried.
        state: What has become of it.
    """

    body: bytes = field(repr=False)
    attempts: int = 0
    state: PostState = PostState.WAITING


class Webhook:
    """Events wait in RAM until the server has taken them (a status 2xx), or they are given up.

    `post`, `configure`, `stop` and `describe` may be called by any thread; `run` is the body of the webhook's own.

    Args:
        values: Section `webhook`.
    """

    def __init__(self, values: WebhookValues) -> None:
        self._values = values
        self._waiting: deque[PostedEvent] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._anew = False
        self._client: HttpClient | None = None
        self._delivered = 0
        self._given_up = 0
        self._last_error: str | None = None

    # -- any thread -------------------------------------------------------------------------------------------------

    def subscribe_to(self, events: EventBus) -> None:
        """Forward what the event bus tells, as far as the settings want it."""
        events.subscribe(MessageReceived, self._received)

        def are_wanted(_: object) -> bool:
            return self.wants(MESSAGE_STATE)

        events.subscribe(MessageEnded, self._state, concerns=are_wanted)
        events.subscribe(MessageChanged, self._state, concerns=are_wanted)
        events.subscribe(BalanceLow, self._balance_low)

    def _received(self, event: MessageReceived) -> None:
        if self.wants(MESSAGE_RECEIVED):
            self.post(MESSAGE_RECEIVED, event.message.as_data())

    def _state(self, event: MessageEvent) -> None:
        if self.wants(MESSAGE_STATE):
            self.post(MESSAGE_STATE, {**event.as_data(), "response_code": event.code.value})

    def _balance_low(self, event: BalanceLow) -> None:
        data = {"modem_id": event.egress, "balance": event.balance, "threshold": event.threshold}
        self.post(MODEM_BALANCE_LOW, data)

    def wants(self, event: str) -> bool:
        """Whether this event is forwarded, so that nobody makes its data for nothing."""
        return bool(self._values["url"] and _WANTED_BY[event](self._values))

    def post(self, event: str, data: Mapping[str, Any]) -> PostedEvent | None:
        """Queue an event; None where it is not wanted, or there is no room. Never waits."""
        if not self.wants(event):
            return None
        document = {"event": event, "id": os.urandom(8).hex(), "time": round(time.time(), 3), "data": data}
        with self._changed:
            if len(self._waiting) >= self._values["queue_size"]:
                self._give_up(event, _("the queue is full"))
                return None
            posted = PostedEvent(json.dumps(document, ensure_ascii=False).encode())
            self._waiting.append(posted)
            self._changed.notify_all()
            return posted

    def wait(self, posted: PostedEvent, wait: float) -> PostState:
        """Return what has become of an event, after at most so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: posted.state is not PostState.WAITING or self._stopping, wait)
            return posted.state

    def configure(self, values: WebhookValues) -> None:
        """Use other settings, also for what waits; without a URL nothing waits any more."""
        with self._changed:
            self._values = values
            self._anew = True
            self._last_error = None
            if not values["url"]:
                self._end(*self._waiting)
                self._waiting.clear()
            self._changed.notify_all()
        self._hang_up()

    def stop(self) -> None:
        """End `run`; what waits is given up."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._hang_up()

    def describe(self) -> dict[str, Any]:
        """Return how it stands, without what may be secret in the URL."""
        with self._changed:
            parts = urlsplit(self._values["url"])
            return {
                "server": f"{parts.scheme}://{parts.netloc}" if parts.netloc else "",
                "waiting": len(self._waiting),
                "delivered": self._delivered,
                "given_up": self._given_up,
                "last_error": self._last_error,
            }

    # -- the webhook's thread ---------------------------------------------------------------------------------------

    def run(self) -> None:
        """Post what waits, in order, until `stop`."""
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        try:
            while event := self._next():
                try:
                    self._attempt(event)
                except (OSError, LinkLost, _Refused) as error:
                    self._failed(event, error, backoff)
                else:
                    backoff.reset()
                    self._done(event)
        finally:
            self._disconnect()

    def _next(self) -> PostedEvent | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            return None if self._stopping else self._waiting[0]

    def _done(self, event: PostedEvent) -> None:
        with self._changed:
            self._remove(event)
            event.state = PostState.DELIVERED
            self._delivered += 1
            self._last_error = None
            self._changed.notify_all()

    def _failed(self, event: PostedEvent, error: Exception, backoff: Backoff) -> None:
        """Give the event up, or wait before it is tried again; other settings end the wait."""
        with self._changed:
            if self._stopping:
                return
            if self._anew:  # it may be the change of the settings that failed it
                return
            event.attempts += 1
            self._last_error = sentence(error)
            if event.attempts >= self._values["attempts"] or (isinstance(error, _Refused) and error.for_good):
                self._remove(event)
                self._give_up("an event", self._last_error)
                self._end(event)
                self._changed.notify_all()
                return
            pause = backoff.delay()
            logger.info("the webhook failed (%s); it is tried again in %.1f s", self._last_error, pause)
            self._changed.wait_for(lambda: self._stopping or self._anew, pause)

    def _remove(self, event: PostedEvent) -> None:
        with suppress(ValueError):  # the settings changed, and nothing waits any more
            self._waiting.remove(event)

    def _end(self, *events: PostedEvent) -> None:
        for event in events:
            event.state = PostState.GIVEN_UP

    def _give_up(self, event: str, reason: str) -> None:
        self._given_up += 1
        logger.warning("the webhook gives %s up: %s", event, reason)

    # -- HTTP -------------------------------------------------------------------------------------------------------

    def _attempt(self, event: PostedEvent) -> None:
        """Post once; over a connection that the server may have closed meanwhile, a second time over a new one."""
        with self._changed:
            if self._stopping:
                raise LinkLost(_("the gateway is being stopped"))
            values, anew, self._anew = self._values, self._anew, False
            if anew:
                self._disconnect()
            client = self._client = self._client or _client(values)
        headers = {"Content-Type": "application/json", "User-Agent": f"OTP-Pi/{otppi.__version__}"}
        if values["secret"]:
            timestamp = str(int(time.time()))
            headers[TIMESTAMP_HEADER] = timestamp
            headers[SIGNATURE_HEADER] = f"v1={sign(values['secret'], timestamp, event.body)}"
        answer = client.request("POST", event.body, headers, repeatable=True)  # a receiver knows it by its id
        if not 200 <= answer.status < 300:  # a redirect is not followed: the text would go to who knows whom
            raise _Refused(answer.status)

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _hang_up(self) -> None:
        """Let whatever waits for the server fail now (any thread)."""
        client = self._client
        if client is not None:
            client.hang_up()


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature of an event: HMAC-SHA256, in hexadecimal, of the timestamp, a dot and the body."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _client(values: WebhookValues) -> "HttpClient":
    """Make a client, which connects with its first request; TLS certificates are always verified."""
    from otppi.kit.net.http_client import HttpClient  # 0.3 MB, which those without a webhook do not need

    context = verifying_context(values["ca_file"]) if values["url"].startswith("https:") else None
    return HttpClient(values["url"], timeout=values["timeout"], context=context)
