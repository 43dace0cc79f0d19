"""The modems' connections to the internet: which port each dials on and with what; their threads."""

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from otppi.api.devices import SerialDevice, UsbMatch
from otppi.api.internet import (
    Dialling,
    Internet,
    InternetContext,
    InternetDown,
    InternetState,
    InternetStatus,
    InternetType,
)
from otppi.api.modem import ModemIdentity
from otppi.api.services import Service
from otppi.host.modems.apn import preset_of
from otppi.host.modems.settings import MODEMS
from otppi.host.modems.values import ModemValues
from otppi.host.runtime.made_on_thread import MadeOnThread
from otppi.host.runtime.services import failure_of
from otppi.host.runtime.supervisor import Supervised, end_all
from otppi.host.runtime.switches import ServiceSwitch, check_ended
from otppi.host.settings.config import Config
from otppi.host.settings.stopped_names import StoppedNames
from otppi.text import _

_PATIENCE = 15.0
"""Seconds in which a connection may hang up."""
_DIAL_COMMAND = "ATD"
_DIAL_NUMBER = "*99#"


def sends_sms(modem: ModemValues) -> bool:
    """Return whether a modem sends SMS: not where its only port is given to the internet."""
    return not (modem["internet_access"] and modem["internet_port"] and _same(modem["internet_port"], modem["port"]))


def data_port(modem: ModemValues, sms_port: str, ports: Sequence[SerialDevice], known: Iterable[UsbMatch]) -> str:
    """Choose the port to dial on: that of the setting, else the modem's port for data; never the one for SMS.

    Args:
        modem: Its settings.
        sms_port: Where it takes commands now.
        ports: Those of hot-plugged devices.
        known: Where modems of known USB ids take AT commands; the last one of `at_interfaces` is for data.

    Raises:
        InternetDown: There is none, or it cannot be told which it is.
    """
    if modem["internet_port"]:
        return str(modem["internet_port"])
    mine = next((port for port in ports if _same(port.path, sms_port)), None)
    if mine is None:
        raise InternetDown(_("the modem is not there, or not on USB: set internet_port to the port to dial on"))
    others = {port.interface: port.path for port in ports if port.device == mine.device and port.path != mine.path}
    if not others:
        raise InternetDown(_("its only port sends SMS: set internet_port to that port to give it to the internet"))
    for match in known:
        if match.vendor_id == mine.vendor_id and match.product_id in ("", mine.product_id):
            for interface in reversed(match.at_interfaces):
                if interface in others:
                    return others[interface]
    raise InternetDown(_("it is not known which of the modem's ports is for data: set internet_port"))


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def dialling_of(modem: ModemValues, imsi: str, port: str) -> Dialling:
    """Put together what to dial with: what is set, and what is not from the operator's preset.

    Raises:
        InternetDown: There is no APN.
    """
    preset = preset_of(modem, imsi or modem["imsi"])
    apn = modem["apn"] or (preset.apn if preset else "")
    if not apn:
        raise InternetDown(_("there is no APN: set apn or apn_preset (the presets: otppi internet presets)"))
    return Dialling(
        port=port,
        baud_rate=modem["baud_rate"] or 115_200,
        apn=apn,
        username=modem["apn_username"] or (preset.username if preset else ""),
        password=modem["apn_password"] or (preset.password if preset else ""),
        dial_command=modem["dial_command"] or _DIAL_COMMAND,
        dial_number=modem["dial_number"] or (preset.dial_number if preset else _DIAL_NUMBER),
        init=tuple(command for command in _init_commands(modem) if command),
    )


def _init_commands(modem: ModemValues) -> tuple[str, ...]:
    return tuple(modem[key] for key in ("init_dial_1", "init_dial_2", "init_dial_3", "init_dial_4", "init_dial_5"))


class InternetLinks:
    """The connections of all modems with `internet_access`. Used by one thread at a time, but for `status`.

    Args:
        internet_type: How they are connected; None where no plugin can.
        identity_of: What is known of the modem of a name.
        port_of: Where the modem of a name was found; empty where it is at the port that is set.
        ports: The ports of hot-plugged devices.
        known: USB ids of known modems.
        boot_folder: On a RAM disk.
    """

    def __init__(
        self,
        internet_type: InternetType | None,
        identity_of: Callable[[str], ModemIdentity],
        port_of: Callable[[str], str],
        ports: Callable[[], Sequence[SerialDevice]],
        known: Sequence[UsbMatch],
        boot_folder: Path,
    ) -> None:
        self._type = internet_type
        self._identity_of = identity_of
        self._port_of = port_of
        self._ports = ports
        self._known = known
        self._boot_folder = boot_folder
        self._links: dict[str, tuple[Supervised, Internet]] = {}
        self._used: tuple[dict[str, ModemValues], Mapping[str, Any]] = ({}, {})
        self.stopped = StoppedNames()
        self._ending: dict[str, tuple[Supervised, float]] = {}

    def configure(self, modems: Iterable[ModemValues], settings: Mapping[str, Any]) -> None:
        """Start, keep or stop connections so that they are those of the settings."""
        wanted = {modem["name"]: modem for modem in modems if modem["internet_access"]}
        before, same = self._used[0], self._used[1] == settings
        self._used = (wanted, settings)
        self._end([name for name in self._links if not (same and wanted.get(name) == before.get(name))])
        if self._type is None:
            return
        for name in wanted:
            if name not in self._links and name not in self.stopped:
                self._connect(name, self._type)

    def _connect(self, name: str, internet_type: InternetType) -> None:
        modems, settings = self._used
        context = InternetContext(name, settings, partial(self._dialling, modems[name]), self._boot_folder)
        link = _GuardedInternet(partial(internet_type.create, context))
        thread = Supervised(f"internet {name}", link.run, link.stop)
        self._links[name] = (thread, link)
        thread.start()

    def switch_off(self, name: str) -> None:
        """Hang up, until `switch_on`."""
        self.stopped.add(name)
        if (link := self._links.get(name)) is not None:
            self._ending[name] = (link[0], time.time())
            self._end([name])

    def switch_on(self, name: str) -> None:
        """Connect one that was hung up.

        Raises:
            NotEnded: It has not come to its end yet.
        """
        if name not in self.stopped or self._type is None:
            return
        if name in self._ending:
            check_ended(self._ending[name][0])
            del self._ending[name]
        self.stopped.discard(name)
        self._connect(name, self._type)

    def stop(self) -> None:
        """Hang up."""
        self._end(list(self._links))

    def threads(self) -> list[Supervised]:
        """List the threads of the connections (any thread)."""
        return [thread for thread, _ in list(self._links.values())]

    def status(self) -> list[dict[str, Any]]:
        """Return how each connection is, or why there is none."""
        states = {name: _state_of(*link) for name, link in list(self._links.items())}
        for name in self.stopped:
            since = self._ending[name][1] if name in self._ending else time.time()
            states[name] = asdict(InternetStatus(InternetState.STOPPED, since))
        if self._type is None:
            none = {"state": "stopped", "detail": _("no plugin can connect to the internet")}
            states = {name: dict(none) for name in self._used[0]}
        return [{"modem_id": name, **state} for name, state in states.items()]

    def warnings(self) -> list[str]:
        """Return which connections failed, and wait for another try, or for other settings."""
        failures = [failure_of(thread.name, thread.supervision) for thread in self.threads()]
        return [failure for failure in failures if failure]

    def _dialling(self, modem: ModemValues) -> Dialling:
        name = modem["name"]
        port = data_port(modem, self._port_of(name) or modem["port"], self._ports(), self._known)
        return dialling_of(modem, self._identity_of(name).imsi, port)

    def _end(self, names: Sequence[str]) -> None:
        end_all([self._links.pop(name)[0] for name in names], _PATIENCE)


def _state_of(thread: Supervised, link: Internet) -> dict[str, Any]:
    state = asdict(link.status())
    failed = bool(failure_of(thread.name, thread.supervision))
    return state | {"state": InternetState.STOPPED, "detail": thread.supervision.last_error} if failed else state


class _GuardedInternet(MadeOnThread[Internet], Internet):
    """A connection that a plugin makes at once; where that fails it is told and tried again as one that fails later."""

    def __init__(self, create: Callable[[], Internet]) -> None:
        super().__init__(create)
        self._since = time.time()
        self._failure: Exception | None = None
        try:
            self._made = create()
        except Exception as error:  # noqa: BLE001 - its thread raises it, where it is told
            self._failure = error

    def run(self) -> None:
        """Raise why it could not be made at once; from then on make it where it is not yet, and run it."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        super().run()

    def status(self) -> InternetStatus:
        """Return how far it is."""
        return InternetStatus(InternetState.STOPPED, self._since) if self._made is None else self._made.status()


class InternetAccess(Service):
    """The connections, as a service: those of the modems that are to be connected."""

    name = "internet"

    def __init__(self, links: InternetLinks, internet_type: InternetType | None, config: Config) -> None:
        self._links = links
        self._section = internet_type.section.key if internet_type is not None else None
        self._config = config
        self.sections: Collection[str] = (MODEMS.key,) if self._section is None else (MODEMS.key, self._section)

    def start(self) -> None:
        """Connect them."""
        modems = [values for values in self._config.many(MODEMS) if values["active"]]
        names = [values["name"] for values in modems if values["internet_access"]]
        self._links.stopped.follow(self._config.renames(MODEMS.key), names)
        self._links.configure(modems, self._config.one(self._section) if self._section is not None else {})

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - either may concern each of them
        """Start, keep or stop connections so that they are those of the settings."""
        self.start()

    def stop(self) -> None:
        """Hang up."""
        self._links.stop()

    def threads(self) -> Iterable[Supervised]:
        """Return the threads of the connections (any thread)."""
        return self._links.threads()

    def switches(self) -> Sequence[ServiceSwitch]:
        """Return how each connection is, and whether it was stopped (any thread)."""
        stopped = set(self._links.stopped)
        return [
            ServiceSwitch(
                f"internet:{one['modem_id']}",
                _("Internet by {name}", name=one["modem_id"]),
                "internet",
                str(one["state"]),
                one.get("since", 0.0),
                one.get("detail") or "",
                stopped=one["modem_id"] in stopped,
            )
            for one in self._links.status()
            if self._section is not None
        ]

    def switch_off(self, key: str) -> None:
        """Hang up."""
        self._links.switch_off(key.partition(":")[2])

    def switch_on(self, key: str) -> None:
        """Connect what was hung up."""
        self._links.switch_on(key.partition(":")[2])

    def warnings(self) -> Sequence[str]:
        """Return which connections failed."""
        return self._links.warnings()

    def describe(self) -> Sequence[Mapping[str, Any]]:
        """Return how each connection is, or why there is none."""
        return self._links.status()
