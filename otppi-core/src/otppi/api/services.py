"""Services: the parts of a gateway that live as long as it runs, its own and those of plugins."""

import ipaddress
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otppi.api.events import Events

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


@dataclass(frozen=True, slots=True)
class ListeningPort:
    """A TCP port that the gateway listens on by its settings: of a setting with the input `LISTEN_PORT`.

    Attributes:
        section, setting: The keys of the setting.
        port: Its value; none that is any free one.
        address: The section's setting with the input `LISTEN_ADDRESS`: of this device; empty are all of them.
    """

    section: str
    setting: str
    port: int
    address: str = ""

    @property
    def is_local(self) -> bool:
        """Whether only programs of this device reach it: its address is of the loopback (RFC 1122 3.2.1.3)."""
        if not self.address:
            return False
        address = ipaddress.ip_address(self.address)
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return (mapped or address).is_loopback


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """What a service of a plugin gets.

    Attributes:
        events: The gateway's event bus. What is subscribed to here ends with the service.
        settings: Returns what is set now in one of the type's `sections`, by its key: an object, or a list of them.
            Raises `LookupError` for any other key.
        folder: One of its own for what it keeps (0700).
        boot_folder: One of its own on a RAM disk (0700): what is written there is gone with the power.
        listening: Returns the TCP ports that the gateway listens on by its settings, of all sections, its own and those
            of plugins, whose switches are on. After a change of settings ask again (`SettingsChanged`).
    """

    events: Events
    settings: Callable[[str], Any]
    folder: Path
    boot_folder: Path
    listening: Callable[[], Sequence[ListeningPort]]


@dataclass(frozen=True, slots=True)
class ServiceType:
    """What a plugin registers: a service that lives as long as the gateway runs.

    It is made, and has its `start`, `run`, `stop` and `close` called, on a thread of its own, after the gateway's own
    services have started; it ends before they do. One without a `run` lives until the gateway stops. Where making it,
    `start` or `run` raises, it is closed, told as failed, and made anew with a growing delay; after `InvalidSettings`
    not before one of its sections has changed.

    Attributes:
        key: Its name: small letters, digits and dashes, unlike that of all other plugins. It is `service <key>` in the
            log and for people, and `<key>_` begins the names of its metrics.
        title, help: What it is, to people.
        create: Makes it.
        sections: The keys of the sections that it reads, of any plugin or of the gateway: a change of one is told to
            `configure`.
    """

    key: str
    title: str
    help: str
    create: Callable[[ServiceContext], Service]
    sections: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", self.key):
            raise ValueError(f"service {self.key!r} is not named by small letters, digits and dashes")
        if not self.title or not self.help:
            raise ValueError(f"service {self.key!r} needs a title and a help text")
