"""Which device is whose: finds modems by their IMEI, asks new devices who they are, and wakes the modems they are."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from otppi.api.devices import SerialDevice
from otppi.api.modem import ModemType
from otppi.api.services import Service
from otppi.host.modems.device import Device, DeviceSource, Expected, absent, in_order
from otppi.kit.at.examine import Examined, examine
from otppi.kit.at.identity import same_imei
from otppi.kit.at.usb import UsbDevice
from otppi.kit.threads import BEGIN_WITHIN, CANNOT_START, PromptThread
from otppi.text import _

logger = logging.getLogger(__name__)

_SETTLE = 0.3
"""Seconds of quiet after which a device is taken to be complete: its ports appear one by one."""
_AGAIN = (5.0, 15.0, 60.0)
"""Seconds until a device that answered nothing is asked again: a modem boots for some time. Then it is left alone."""
_ASKERS = 4
_NO_THREAD_PAUSE = 5.0
_LAST_ANSWER = 30.0
"""Seconds in which a device that is being asked has been asked, whatever it does."""
_NEVER = float("inf")


class DeviceWatch(Service):
    """Implements `api.devices.Devices`. `run` is the body of a thread; all else may be called by any.

    Args:
        source: Tells which devices are there; None where nobody can: then a modem is at the port that is set.
        types: What plugins know of USB ids.
        ask: Asks the ports of a device who it is; see `kit.at.examine`.
    """

    name = "devices"

    def __init__(
        self,
        source: DeviceSource | None,
        types: Collection[ModemType] = (),
        ask: Callable[[Sequence[str], int], Examined] = examine,
    ) -> None:
        self._source = source
        self._matches = [match for one in types for match in one.usb]
        self._ask_ports = ask
        self._lock = threading.Lock()
        self._listing = threading.Lock()  # taken before the other one
        self._devices: dict[tuple[str, int], Device] = {}
        self._storage: tuple[UsbDevice, ...] = ()
        self._expected: dict[str, Expected] = {}
        self._places: dict[str, tuple[str, int | None]] = {}
        self._read: dict[str, str] = {}
        self._clones: set[str] = set()
        self._stopping = False
        self._askers: dict[PromptThread, Device | None] = {}
        """The threads that ask, and which device; None of one that has done so and is ending."""

    # -- for the gateway, any thread --------------------------------------------------------------------------------

    def expect(self, modems: Mapping[str, Expected]) -> None:
        """Take note of the modems that are used from now on."""
        with self._lock:
            self._expected = dict(modems)
            for known in (self._places, self._read):
                for name in known.keys() - modems.keys():
                    del known[name]
        self._ask_strangers()

    def devices(self) -> tuple[Device, ...]:
        """List the devices with serial ports; to look at, not to change."""
        with self._lock:
            return tuple(self._devices.values())

    def storage(self) -> tuple[UsbDevice, ...]:
        """List the devices that show nothing but mass storage."""
        return self._storage

    @property
    def watching(self) -> bool:
        """Whether somebody tells which devices are there."""
        return self._source is not None

    def modem_of(self, device: Device) -> str:
        """Name the modem that has a device, or that is about to; empty for a stranger's."""
        with self._lock:
            waiting = [name for name, _ in self._waiting_for(device)]
        return device.owner or next(iter(waiting), "")

    def is_cloned(self, imei: str) -> bool:
        """Whether several devices have this IMEI."""
        with self._lock:
            return sum(same_imei(imei, device.imei) for device in self._devices.values()) > 1

    def close(self) -> None:
        """Wait until no device is being asked; after `run` has ended."""
        with self._lock:
            self._stopping = True
            askers = list(self._askers)
        for asker in askers:
            asker.end(_LAST_ANSWER)

    # -- Devices, any thread ----------------------------------------------------------------------------------------

    def ports(self) -> Sequence[SerialDevice]:
        """List the serial ports of hot-plugged devices."""
        return [port for device in self.devices() for port in device.ports]

    def locate(self, modem: str, imei: str, hint: str) -> str:
        """Return where a modem is, and let nobody else have its device until `release`."""
        self.refresh()  # what a port was called a moment ago may be another modem's now
        with self._lock:
            if (own := self._owned(modem)) is not None:
                own.owner = ""
            device = self._find(modem, imei, hint)
            if device is None:
                return hint
            device.owner, device.identified = modem, False
            device.port = self._port_of(device, modem, imei, hint)
            return device.port

    def identified(self, modem: str, imei: str) -> None:
        """Take note of the IMEI that was read at the port of a modem."""
        with self._lock:
            device, expected = self._owned(modem), self._expected.get(modem)
            if device is not None:
                self._learn(device, imei)
                device.identified = True
                device.failed.discard(modem)
            if expected is None or (imei and expected.imei and not same_imei(imei, expected.imei)):
                return
            self._read[modem] = imei
            if device is not None and (port := device.named(device.port)):
                self._places[modem] = (port.device, port.interface)

    def release(self, modem: str) -> None:
        """Let others have a modem's device; where it is another modem's, that one is opened at once."""
        with self._lock:
            device = self._owned(modem)
            if device is None:
                return
            device.owner = ""
            if not device.identified:
                device.failed.add(modem)
            waiting = [expected for name, expected in self._waiting_for(device) if name != modem]
        _wake(waiting)
        self._ask_strangers()

    def _owned(self, modem: str) -> Device | None:
        return next((device for device in self._devices.values() if device.owner == modem), None)

    def _at(self, hint: str) -> Device | None:
        return next((device for device in self._devices.values() if device.named(hint)), None)

    def _at_place(self, modem: str) -> Device | None:
        """Find what is now in the socket where a modem was."""
        place = self._places.get(modem, ("", None))
        return next((device for device in self._devices.values() if device.key[0] == place[0]), None)

    def _find(self, modem: str, imei: str, hint: str) -> Device | None:
        """Find a modem's device; None where it is at a port that is not hot-plugged."""
        at_hint = self._at(hint)
        candidates = self._candidates(modem, imei, at_hint)
        for device in candidates:
            if not device.owner and not device.asking:
                return device
        if at_hint is None and not candidates and (not imei or (hint and Path(hint).exists())):
            return None
        raise absent(modem, imei, hint, [*candidates, *([at_hint] if at_hint else [])])

    def _candidates(self, modem: str, imei: str, at_hint: Device | None) -> list[Device]:
        """List the devices that may be a modem's, the likeliest first."""
        if not imei:
            if at_hint is not None:
                return [at_hint]
            imei = self._read.get(modem, "")  # it was there under this port, and came back under another
        same = [device for device in self._devices.values() if same_imei(imei, device.imei)]
        near = [device for device in (at_hint, self._at_place(modem)) if device is not None]
        shared = any(same_imei(imei, one.imei) for name, one in self._expected.items() if name != modem)
        if shared or not imei:  # nothing but its socket tells a clone from the others (modems.md 24)
            return [device for device in near if device in same or not device.imei]
        return sorted(same, key=lambda device: device not in near) + [one for one in near[::-1] if not one.imei]

    def _port_of(self, device: Device, modem: str, imei: str, hint: str) -> str:
        """Choose a port: the one that a person set, if by its socket; else what answered, else what may."""
        named = device.named(hint)
        if named and (hint == named.by_path or not imei) and modem not in device.failed:
            return named.path
        if device.imei and device.named(device.port):
            return device.port
        place = self._places.get(modem)
        was = next((port for port in device.ports if place == (port.device, port.interface)), None)
        return (was or named or device.ports[0]).path

    def _waiting_for(self, device: Device) -> list[tuple[str, Expected]]:
        """List the modems that have no device, and may be in this one."""
        return [
            (name, one)
            for name, one in self._expected.items()
            if self._owned(name) is None and self._may_be(device, name, one)
        ]

    def _may_be(self, device: Device, name: str, modem: Expected) -> bool:
        imei = modem.imei or self._read.get(name, "")
        if imei and device.imei and not (device.named(modem.hint) and not modem.imei):
            return same_imei(imei, device.imei)
        return device.named(modem.hint) is not None or self._places.get(name, ("",))[0] == device.key[0]

    def _learn(self, device: Device, imei: str) -> None:
        device.imei = imei
        clones = [one.port for one in self._devices.values() if same_imei(imei, one.imei)]
        if len(clones) > 1 and imei not in self._clones:
            self._clones.add(imei)
            logger.warning(
                "%s have the same IMEI %s: only their sockets tell them apart, so set each modem's port to a link in "
                "/dev/serial/by-path",
                ", ".join(clones),
                imei,
            )

    # -- the watch's thread -----------------------------------------------------------------------------------------

    @property
    def has_thread(self) -> bool:
        """Whether there is a thread for `run`: not where nobody tells which devices are there."""
        return self.watching

    def start(self) -> None:
        """See which devices are there, before a modem looks for its own."""
        if self.watching:
            self.refresh()

    def run(self) -> None:
        """Follow what comes and goes, until `stop`."""
        source = self._source
        assert source is not None  # noqa: S101 - without one nobody starts it
        while not self._stopping:
            self.refresh()
            while source.wait(_SETTLE):
                self.refresh()
            self._ask_strangers()
            while not source.wait(self._until_next_ask()) and not self._stopping:
                self._ask_strangers()

    def stop(self) -> None:
        """End `run` (any thread)."""
        self._stopping = True
        if self._source is not None:
            self._source.stop()

    def refresh(self) -> None:
        """Look which devices are there now, and wake the modems that may be in those that have come (any thread)."""
        if self._source is None:
            return
        with self._listing:
            ports: dict[tuple[str, int], list[SerialDevice]] = {}
            for port in self._source.ports():
                ports.setdefault((port.device, port.number), []).append(port)
            come, gone, waiting = self._take_over(ports, tuple(self._source.storage()))
        for device in gone:
            logger.info("%s is gone", device)
        for device in come:
            logger.info("%s is here", device)
        _wake(waiting)

    def _take_over(
        self, ports: Mapping[tuple[str, int], Sequence[SerialDevice]], storage: tuple[UsbDevice, ...]
    ) -> tuple[list[Device], list[Device], list[Expected]]:
        """Replace what was there by what is there; return the devices that came and went, and who waits for them."""
        come: list[Device] = []
        with self._lock:
            before, self._devices, self._storage = self._devices, {}, storage
            for key, found in ports.items():
                device = before.get(key) or Device(())
                self._devices[key] = device
                if device.ports != tuple(found):
                    device.ports, device.ask_at, device.asked = tuple(found), 0.0, 0
                    come.append(device)
            waiting = [expected for device in come for _, expected in self._waiting_for(device)]
            return come, [device for key, device in before.items() if key not in ports], waiting

    # -- asking devices who they are --------------------------------------------------------------------------------

    def _until_next_ask(self) -> float | None:
        with self._lock:
            times = [device.ask_at for device in self._devices.values() if self._is_stranger(device)]
            if any(self._askers.values()):
                times.append(time.monotonic() + BEGIN_WITHIN)  # whether each of them has begun
        soonest = min(times, default=_NEVER)
        return None if soonest == _NEVER else max(0.0, soonest - time.monotonic())

    def _is_stranger(self, device: Device) -> bool:
        """Whether nobody has a device, or is to have it. One with several ports may have failed at a wrong one."""
        several = len(device.ports) > 1
        return not (
            device.owner
            or device.asking
            or any(not (several and name in device.failed) for name, _ in self._waiting_for(device))
        )

    def _ask_strangers(self) -> None:
        now = time.monotonic()
        with self._lock:
            if self._stopping:
                return
            for asker in [asker for asker in self._askers if not asker.lives]:
                if (device := self._askers.pop(asker)) is not None:  # it has never begun
                    self._ask_later(device, now)
            for device in self._devices.values():
                busy = sum(asked is not None for asked in self._askers.values())
                if device.ask_at <= now and busy < _ASKERS and self._is_stranger(device):
                    self._begin_to_ask(device, now)

    def _begin_to_ask(self, device: Device, now: float) -> None:
        asker = PromptThread(lambda: self._ask(device, asker), "device-asker")
        device.asking = True
        try:
            asker.start()
        except CANNOT_START:
            self._ask_later(device, now)
        else:
            self._askers[asker] = device

    def _ask_later(self, device: Device, now: float) -> None:
        device.asking, device.ask_at = False, now + _NO_THREAD_PAUSE

    def _ask(self, device: Device, asker: PromptThread) -> None:
        ports, known = in_order(device, self._matches)
        try:
            found = self._ask_ports([port.path for port in ports], known)
        except Exception as error:  # whatever it is, the device must not count as being asked for ever
            logger.exception("%s could not be asked who it is", device)
            found = Examined(problem=_("asking it failed ({error})", error=type(error).__name__))
        with self._lock:
            self._askers[asker] = None
            device.asking, device.examined = False, found
            if found.port:
                device.port = found.port
                self._learn(device, found.identity.imei)
            complete = set(ports) == set(device.ports)
            device.ask_at = self._next_ask(device) if complete else 0.0
            waiting = self._waiting_for(device) if self._devices.get(device.key) is device else []
        if found.port and not waiting:
            identity = found.identity
            logger.info("%s is a new modem: %s %s", device, identity.model, identity.imei or "without IMEI")
        _wake(expected for _, expected in waiting)
        self._ask_strangers()

    def _next_ask(self, device: Device) -> float:
        found = device.examined
        if found is None or found.port:
            return _NEVER
        if found.held_by:
            return time.monotonic() + _AGAIN[-1]
        device.asked += 1
        return time.monotonic() + _AGAIN[device.asked - 1] if device.asked <= len(_AGAIN) else _NEVER


def _wake(modems: Iterable[Expected]) -> None:
    for modem in modems:
        modem.wake()
