"""What a person may stop and start again while the gateway runs: modems, ingresses, accounts, services of plugins."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from otppi.api.errors import OtpPiError
from otppi.host.runtime.supervisor import Supervised
from otppi.text import _


class NotEnded(OtpPiError):  # noqa: N818 - the state that it tells
    """What was stopped has not come to its end yet, so that it cannot be started."""


@dataclass(frozen=True, slots=True)
class ServiceSwitch:
    """One of them.

    Attributes:
        key: What operations call it: its kind, and its name where there may be several ("modem:m0").
        title: What people call it.
        kind: `modem`, `mail`, `ingress`, `internet` or `service`.
        state: How it is.
        since: Since when, in Unix seconds.
        problem: What is wrong with it, or was last.
        stopped: Whether a person has stopped it.
        waiting: How many messages wait for it.
    """

    key: str
    title: str
    kind: str
    state: str
    since: float
    problem: str = ""
    stopped: bool = False
    waiting: int = 0


@runtime_checkable
class Switchable(Protocol):
    """A service that has such parts. What was stopped stays so until `switch_on`, whatever settings change meanwhile.

    `switch_on` and `switch_off` are called by one thread at a time, which changes no settings meanwhile.
    """

    def switches(self) -> Sequence[ServiceSwitch]:
        """Return how each of them is (any thread)."""

    def switch_off(self, key: str) -> None:
        """Stop one; what it is at is finished. Nothing where it is stopped."""

    def switch_on(self, key: str) -> None:
        """Start one that was stopped; nothing where it runs.

        Raises:
            NotEnded: It has not come to its end yet.
        """


def find_owner(services: Iterable[object], key: str) -> Switchable | None:
    """Return the service whose switch has this key; None where there is none."""
    owners = (one for one in services if isinstance(one, Switchable))
    return next((one for one in owners if any(switch.key == key for switch in one.switches())), None)


def check_ended(thread: Supervised) -> None:
    """See that a thread which was stopped has ended: two of them would use one port, or one connection.

    Raises:
        NotEnded: It has not.
    """
    if not thread.join(0):
        raise NotEnded(_("{name} still finishes what it is at. Try it again in a few seconds.", name=thread.name))
