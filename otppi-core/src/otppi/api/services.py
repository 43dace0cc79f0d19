"""Services: the parts of a gateway that live as long as it runs."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

Samples = Mapping[str, Mapping[str, float]]
"""Counters and gauges: the name of each, then its value by labels, as in `name{labels} value`."""


class Service:
    """The base of a service: a class overrides what it does, and nothing else.

    The gateway starts its services in a declared order and stops them in the reverse one: a service may use those that
    stand before it. `start`, `configure`, `stop` and `close` are called by one thread at a time; `run` is the body of a
    thread that the gateway owns: it starts it, starts it again where it raises, and ends it. All else is called by any
    thread, and is quick.

    Attributes:
        name: What it is called in the log and for people; also the name of its thread.
        sections: The keys of the sections of settings that it reads.
    """

    name: str = ""
    sections: Collection[str] = ()

    @property
    def has_thread(self) -> bool:
        """Whether there is a thread for `run`."""
        return type(self).run is not Service.run

    def start(self) -> None:
        """Get ready, before `run`. Raising keeps the gateway from starting."""

    def run(self) -> None:
        """Work until `stop`. Raising, and returning before that, mean that it should be started again."""

    def configure(self, changed: Collection[str]) -> None:
        """Use new settings; `changed` names those of its sections that changed.

        Called once for each change of the settings. What it raises is logged and shown; the others go on.
        """

    def stop(self) -> None:
        """Take nothing new, and end `run`."""

    def close(self) -> None:
        """Let go of what it holds: all services have stopped."""

    def look(self) -> None:
        """See after what has no thread of its own; every few seconds."""

    def tidy(self) -> None:
        """Forget what is old; about once a minute."""

    def describe(self) -> Mapping[str, Any] | Sequence[Mapping[str, Any]]:
        """Return how it is, in JSON values."""
        return {}

    def warnings(self) -> Sequence[str]:
        """Return what people should know, in sentences; part of the gateway's health."""
        return ()

    def problems(self) -> Sequence[str]:
        """Return what a person at the device has to do something about; not told to users of the API."""
        return ()

    def samples(self) -> Samples:
        """Return its metrics."""
        return {}
