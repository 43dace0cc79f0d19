"""The ingress ABC, and the interface of the gateway that every ingress calls."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from otppi.api.settings import Section
from otppi.wire.envelope import Answer, Envelope

if TYPE_CHECKING:
    from ssl import SSLContext


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: an API user that was authenticated, or a broker's connection.

    Attributes:
        name: The user's name; it alone says whose a message is.
        manage_keys: Whether it may replace the gateway's key for encrypted envelopes.
        metrics_only: Whether it reads metrics and health only: no command of such a one is taken.
    """

    name: str
    manage_keys: bool = field(default=False, compare=False)
    metrics_only: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Callback:
    """Where a sender wants answers to be published.

    Attributes:
        topic: The topic, queue or channel, as the sender named it.
        correlation: What the sender knows its request by (AMQP `correlation-id`, MQTT 5 correlation data).
        command: The command as the sender spelled it; later states of its messages are told under this name.
    """

    topic: str
    correlation: bytes = b""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a command came in; shown in the monitor and the report.

    Attributes:
        ingress: The key of the ingress.
        sender: Who sent it.
        address: From which address, where that is known.
        callback: Where later states of its messages are told (`Ingress.state_changed`).
        kept_by_source: Whether its source keeps it until it is acknowledged: after a crash it comes again from there,
            so the gateway's spool need not hold it.
        redelivered: Whether its source says that it may have come before (AMQP `redelivered`, MQTT DUP): a message
            without an id then counts as the same as an earlier one with the same receiver and text.
        direct: Whether the sender waits for the answer: the command was made just now, and a `date_time` of some
            minutes ago tells of a clock that is wrong.
    """

    ingress: str
    sender: Sender
    address: str = ""
    callback: Callback | None = None
    kept_by_source: bool = False
    redelivered: bool = False
    direct: bool = False


class Ticket(Protocol):
    """What the gateway gives for an envelope: the answer, now or later."""

    def answer(self, wait: float = 0.0) -> Answer:
        """Return the answer as it stands when every message is final, or after `wait` seconds."""

    def when_final(self, callback: Callable[[Answer], None]) -> None:
        """Call back once, on the thread that made the last message final (or now); must be quick and not raise."""

    def withdraw(self) -> None:
        """Take back the messages that no modem has begun to send: their source will deliver them again."""

    def is_held(self) -> bool:
        """Return whether it waits in the queue of a modem that cannot send it now: it is away, or has quiet hours.

        A consumer does not count it as what the gateway is working on.
        """


class Gateway(Protocol):
    """What an ingress can ask of the gateway. All methods may be called by any thread."""

    def recognise(self, username: str, password: str) -> Sender | None:
        """Return the sender of a password that is known to be right; quick, and no login where it gives none."""

    def recognise_token(self, token: str) -> Sender | None:
        """Return the sender of a bearer token; quick, and no login where it gives none."""

    def authenticate(self, username: str, password: str, address: str) -> Sender | Future[Sender]:
        """Check an API user's password, and never hash it on the caller's thread.

        Gives the sender at once where the password is known to be right; else a future of it, which is done when the
        password has been checked. Its callbacks must be quick. The future raises what this raises.

        Raises:
            AuthenticationFailed: wrong, or the user is not active.
            Throttled: too many wrong ones came from this address.
            Busy: it cannot be checked now.
        """

    def authenticate_token(self, token: str, address: str) -> Sender:
        """Check an API user's bearer token.

        Raises:
            AuthenticationFailed: it is nobody's, or the user is not active.
        """

    def read(self, body: bytes, ingress: str) -> Envelope:
        """Read a command: an envelope in JSON, or one that was encrypted to the gateway's key as a JWE (RFC 7516).

        Raises:
            EnvelopeError: Names every field that is wrong; nothing else is raised.
        """

    def keys(self) -> Mapping[str, Any]:
        """Return the public key that envelopes may be encrypted to, as a JWK Set (RFC 7517 5).

        Raises:
            OtpPiError, OSError: The keys cannot be read, or the first one cannot be made.
        """

    def rotate_keys(self, sender: Sender) -> Mapping[str, Any]:
        """Make a new key, return it as `keys` does, and keep the others for a while.

        Raises:
            NotPermitted: This sender may not.
            OtpPiError, OSError: As `keys`; nothing has changed.
        """

    def is_quick(self, envelope: Envelope) -> bool:
        """Return whether `submit` takes this command in a fraction of a millisecond, as things stand now.

        Then it waits for nothing: no card, no hash, no library to be loaded, no lock that somebody holds. An ingress
        may submit it on a thread that others depend on.
        """

    def submit(self, envelope: Envelope, origin: Origin) -> Ticket:
        """Take a command. Never blocks on a modem; problems are in the ticket's answer."""

    def message(self, message_id: str, sender: Sender) -> Answer | None:
        """Return the state of a message that this sender sent, or None where there is none."""

    def capacity(self) -> int:
        """Return how many messages the modems that work now can have at hand without waiting: a prefetch count.

        0 means that no modem may send: a consumer that competes with others should leave messages to them.
        """

    def health(self) -> Mapping[str, Any]:
        """Return whether messages can be sent: `status` ("ok", "degraded", "down"), modems, queue, version."""

    def counters(self) -> Mapping[str, Mapping[str, float]]:
        """Count for metrics: name → {labels as Prometheus writes them, `modem="m0"` → number}."""


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message that came in.

    Attributes:
        message_id: The gateway's name for it.
        modem: The modem that it came to.
        originator: The sender: digits with `+` where international, or an alphanumeric name; empty where unknown.
        text: Its text, missing parts marked; of a `binary` message the octets in hexadecimal.
        sent, arrived: When the SMSC took it in, and when it came to the gateway, in Unix seconds.
        segments: How many parts it has.
        missing: The numbers of the parts that did not come in time. If they come later, it is told once more.
        binary: Whether `text` is hexadecimal.
        damaged: Whether some of it came with a flaw: its end is marked in the text, or the whole PDU is the text.
        read: Whether a person has looked at it.
    """

    message_id: str
    modem: str
    originator: str
    text: str = field(repr=False)
    sent: float
    arrived: float
    segments: int = 1
    missing: tuple[int, ...] = ()
    binary: bool = False
    read: bool = False
    damaged: bool = False

    def as_data(self) -> dict[str, Any]:
        """Return it as it is forwarded, in JSON, to webhook and brokers."""
        return {
            "message_id": self.message_id,
            "modem_id": self.modem,
            "originator": self.originator,
            "text": self.text,
            "sent": self.sent,
            "arrived": self.arrived,
            "segments": self.segments,
            "missing": list(self.missing),
            "binary": self.binary,
            "damaged": self.damaged,
        }

    def to_json(self) -> bytes:
        """Write that as JSON, in ASCII."""
        return json.dumps(self.as_data()).encode("ascii")


class Ingress(ABC):
    """An ingress: `run` is the body of a thread of its own; when it raises, it is started again, ever later."""

    @abstractmethod
    def run(self) -> None:
        """Take commands until `stop` is called. Raising means that it failed and should be started again."""

    @abstractmethod
    def stop(self) -> None:
        """End `run`: take nothing new, answer what was taken, release ports (any thread; safe to call twice)."""

    @abstractmethod
    def describe(self) -> Mapping[str, Any]:
        """Return what it listens on or is connected to, for the status page (any thread)."""

    def stalled(self) -> str:
        """Return what has stopped though there is work for it, as a clause; empty where nothing has (any thread).

        Asked every few seconds; must be quick. What stays stalled is stopped, and started again.
        """
        return ""

    def abandon(self) -> None:  # noqa: B027 - not every ingress holds what the next one needs
        """Let go of ports and the like: `run` did not end after `stop`, another one takes its place (any thread)."""

    def received(self, message: ReceivedMessage) -> None:  # noqa: B027 - not every ingress leads out as well
        """Take a message that came in to a modem, to forward it; must be quick (on a thread of the gateway's inbox)."""

    def state_changed(self, callback: Callback, answer: Answer) -> None:  # noqa: B027 - not every ingress leads out
        """Publish a later state of a message that came in here with a callback, such as `delivered`.

        Must be quick: called on the thread that brought the news, also for messages of an earlier run of the gateway.
        """


class DeviceTls(Protocol):
    """The certificate of the device, which its pages are served by, too. Any thread."""

    fingerprint: str
    """SHA-256, as browsers show it; empty before `prepare`."""

    def prepare(self) -> None:
        """See to it that there is one.

        Raises:
            OtpPiError, OSError: There is none, and none can be made.
        """

    def context(self) -> "SSLContext":
        """Return a server's context for a connection that begins now: an administrator may change it at any time.

        Raises:
            OtpPiError, OSError: As `prepare`.
        """


@dataclass(frozen=True, slots=True)
class IngressContext:
    """What an ingress gets: its validated settings, the gateway, and a folder of its own for what it keeps (0700).

    Attributes:
        settings: Its settings.
        gateway: The gateway.
        folder: Of its own.
        device_tls: The device's certificate, for an ingress that serves TLS; None where there is none, as in tests.
    """

    settings: Mapping[str, Any]
    gateway: Gateway
    folder: Path
    device_tls: DeviceTls | None = None


@dataclass(frozen=True, slots=True)
class IngressType:
    """What a plugin registers: its settings (the section's key is the name of the ingress) and how to make it.

    `enabled` says by the settings whether it should run at all.
    """

    section: Section
    create: Callable[[IngressContext], Ingress]
    enabled: Callable[[Mapping[str, Any]], bool]
