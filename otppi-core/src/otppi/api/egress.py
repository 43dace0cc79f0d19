"""The egress ABC: what sends messages of one channel, its obligations, and what the gateway is told meanwhile."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from otppi.api.message import OutgoingMessage
from otppi.text import _


class Channel(StrEnum):
    """By which medium a message goes: the form of its receiver decides, a number or an address."""

    SMS = "sms"
    MAIL = "mail"

    @property
    def noun(self) -> str:
        """What an egress of this channel is called, for people."""
        return _NOUNS[self]


_NOUNS: Final = {Channel.SMS: _("modem"), Channel.MAIL: _("mail account")}


class EgressState(StrEnum):
    """What an egress is able to do now."""

    STARTING = "starting"
    """Being opened for the first time: it may take messages into its queue."""
    READY = "ready"
    RECOVERING = "recovering"
    """It worked and was lost a short while ago: its queue waits for it."""
    ABSENT = "absent"
    """Not there, for longer than the grace period."""
    BLOCKED = "blocked"
    """Needs a person: SIM PIN or PUK, no SIM, a wrong password, a setting that cannot work."""
    STOPPED = "stopped"
    """Its thread has ended: the gateway stops, or its settings change."""


class SendHooks(Protocol):
    """What the gateway is told while a message is sent. Called by `Egress.send`, on its thread; neither raises."""

    def before_dispatch(self) -> None:
        """Learn that from here on the message may be taken. Must be called right before the bytes that do it.

        Those are Ctrl-Z of an SMS (3GPP TS 27.005 3.5.1), and the final dot of an e-mail (RFC 5321 4.1.1.4). By this a
        crash between there and the answer is told as `unconfirmed`.
        """

    def meanwhile(self) -> None:
        """Use the time in which the network has to be waited for: end the message before, prepare the next one.

        May be called as often as there is something to wait for, also before `before_dispatch`.
        """


class NoHooks:
    """Nobody is told: for a message that is sent without a gateway."""

    def before_dispatch(self) -> None:
        """Do nothing."""

    def meanwhile(self) -> None:
        """Do nothing."""


NO_HOOKS: Final[SendHooks] = NoHooks()


class Egress(ABC):
    """What sends messages: a modem, an account. Its own thread calls everything but `wake` and `warnings`.

    The gateway calls `open`, then `send` and `idle` in turns, and `close` when it stops or when one of them raised
    `Lost`; then it opens it again after `Lost.retry_after`, or with a growing delay.

    Attributes:
        channel: The medium that it sends by.
    """

    channel: ClassVar[Channel]

    @abstractmethod
    def open(self) -> None:
        """Make it ready to send.

        Raises:
            Lost: It is not there or does not answer; the gateway will try again.
            Blocked: A person has to do something first.
        """

    @abstractmethod
    def send(self, message: OutgoingMessage, hooks: SendHooks = NO_HOOKS) -> None:
        """Send one message and wait for the answer; fills `message.progress`, and calls `hooks`.

        Raises:
            NotSent: Nothing (or, of several parts, no part beyond `progress.references`) went out.
            Deferred: The same, and this receiver is to be tried later, others now.
            Unfit: The same: this one cannot, another one should.
            Lost: It went away before anything went out.
            Rejected: Refused for good.
            Unconfirmed: It may or may not have gone out.
        """

    def prepare(self, message: OutgoingMessage) -> None:  # noqa: B027 - there may be nothing to prepare
        """Do what can be done for a message before it is sent, which is probably next. Must not raise or wait."""

    @abstractmethod
    def idle(self, timeout: float) -> None:
        """Wait at most `timeout` seconds, or until `wake`; look after what comes of its own accord.

        Raises:
            Lost: It is gone.
        """

    @abstractmethod
    def wake(self) -> None:
        """End a running or the next `idle` (any thread)."""

    @abstractmethod
    def close(self) -> None:
        """Release the port or connection. Safe to call twice."""

    def warnings(self) -> Sequence[str]:
        """Return what is not as the settings want it, though it works (any thread)."""
        return ()
