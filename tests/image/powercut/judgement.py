"""Whether a card's files are what was promised: whole, old or new, and with all that anybody was told of."""

import configparser
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from otppi.host.administrators.claim import ClaimState
from otppi.host.administrators.settings import ADMINISTRATORS
from otppi.host.data_folder import DataFolder
from otppi.host.durable.in_flight import InFlight
from otppi.host.durable.report import Report
from otppi.host.durable.report_search import ReportFilter
from otppi.host.identity.first_boot import DeviceFiles, first_boot
from otppi.host.runtime.plugins import Plugins
from tests.image.powercut.recording import Known

REPORTED_AFTER: Final = 90.0
"""Seconds after which a message that was taken in is in the report or noted: a minute, on a busy computer."""
FOLDERS: Final = ("/etc/otppi", "/etc/NetworkManager/system-connections", "/var/lib/otppi")
"""Those of a card that are looked at; each is there from the beginning, but for the last one."""
FIRST_ADMINISTRATOR: Final = "administrator sari"
ACCESS_POINT: Final = "access point"
"""What is changed of it is its name."""
BROCHURES: Final = "as the brochure says"
_NOT_KEPT: Final = object()


@dataclass(frozen=True, slots=True)
class Brochure:
    """What a card had of its device when it was new, and the access point's profile that follows from it."""

    document: bytes
    profile: bytes

    @classmethod
    def of(cls, document: bytes, folder: Path) -> Self:
        """Have a first boot write the profile, in a folder."""
        device = DeviceFiles(folder, None)
        device.given.parent.mkdir(parents=True)
        device.given.write_bytes(document)
        first_boot(device)
        return cls(document, device.access_point.read_bytes())


class Judgement:
    """The faults of one card, in words.

    Args:
        root: A folder with those of its files that count, at their places.
        given: What its boot partition has of who the device is; None where that is not there.
        brochure: What it had when it was new.
        known: What had been told.
        plugins: Those of the gateway.

    Attributes:
        noted: Messages that are noted as on their way, and whose end is not in the report: a start tells of them.
    """

    def __init__(self, root: Path, given: bytes | None, brochure: Brochure, known: Known, plugins: Plugins) -> None:
        self._root, self._given, self._brochure, self._known = root, given, brochure, known
        self._plugins = plugins
        self.noted: frozenset[str] = frozenset()

    def faults(self) -> list[str]:
        """Return what is wrong."""
        return [*self._identity(), *self._gateway()]

    # -- who the device is ---------------------------------------------------------------------------------------------

    def _identity(self) -> Iterator[str]:
        device = DeviceFiles(self._root, None)
        if not device.kept.exists():
            if self._known.is_done("first boot"):
                yield "the device has forgotten who it is"
            if self._given != self._brochure.document:
                yield "the first boot is not done, and cannot be repeated: the boot partition lacks who the device is"
            return
        try:
            kept = json.loads(device.kept.read_bytes())
        except ValueError:
            yield "device.json is damaged"
            return
        wanted = {**json.loads(self._brochure.document), "settings": None}
        if {key: kept.get(key) for key in wanted} != wanted:
            yield "device.json is not what the brochure says"
        found = self._access_point(device.access_point)
        if found not in self._known.possible().get(ACCESS_POINT, []) + [BROCHURES] * self._is_brochures():
            yield f"the access point is {found}"

        if self._known.possible().get(ACCESS_POINT) == [BROCHURES]:
            left = [path.name for path in device.changed if path.exists()]
            yield from (f"the reset of the network has left {name}" for name in left)

    def _is_brochures(self) -> bool:
        """Say whether the access point may be as in the beginning."""
        return None in self._known.possible().get(ACCESS_POINT, [None])

    def _access_point(self, path: Path) -> str:
        """Return how the access point is named, by a whole profile; else what is wrong with that."""
        if not path.exists():
            return "gone"
        if path.read_bytes() == self._brochure.profile:
            return BROCHURES
        profile = configparser.ConfigParser(interpolation=None)
        try:
            profile.read_string(path.read_text())
            ssid, passphrase = profile["wifi"]["ssid"], profile["wifi-security"]["psk"]
        except (configparser.Error, KeyError, UnicodeDecodeError):
            return "damaged"
        octets = [one for one in ssid.split(";") if one]
        # NetworkManager writes as text what is none of bytes with semicolons (nm-settings-keyfile(5)).
        name = bytes(map(int, octets)).decode() if ssid.endswith(";") else ssid
        return name if len(passphrase) >= 8 else "without passphrase"

    # -- what the gateway keeps ----------------------------------------------------------------------------------------

    def _gateway(self) -> Iterator[str]:
        """Look with the gateway's own eyes, and as its start does."""
        path = self._root / "var/lib/otppi"
        if not path.exists():
            if self._known.is_done("first boot"):
                yield "the data folder is gone"
            return
        try:
            folder = DataFolder(path, plugins=self._plugins)
        except Exception as error:  # noqa: BLE001 - whatever it is, it would end the gateway
            yield f"the gateway does not start: {type(error).__name__}: {error}"
            return
        try:
            folder.start()
            yield from (f"the gateway warns: {one}" for one in folder.warnings())
            yield from (f"a setting cannot be used: {one}" for one in folder.config.problems)
            yield from self._changes(folder)
            yield from self._messages(folder, path)
        finally:
            folder.close()

    def _changes(self, folder: DataFolder) -> Iterator[str]:
        """Look whether each change that was acknowledged is there."""
        for what, values in self._known.possible().items():
            if (found := _found(folder, what)) is not _NOT_KEPT and found not in values:
                yield f"{what} is {found!r}, not {' or '.join(map(repr, values))}"
        if self._known.is_done(FIRST_ADMINISTRATOR) and folder.claim.state is not ClaimState.DONE:
            yield f"the administrators are lost: {folder.claim.state}"

    def _messages(self, folder: DataFolder, path: Path) -> Iterator[str]:
        ended = set(_ids(folder))
        flight = InFlight(path / "open", Report(path / "report", 12))
        self.noted = frozenset(flight.left_over()) - ended
        told = {one.what for one in self._known.of("reported")}
        if lost := told - ended:
            yield f"{len(lost)} messages that the report told of are not in it any more"
        on_card = ended | self.noted
        waited = {one.what for one in self._known.of("waits")}
        long_ago = {one.what for one in self._known.of("taken") if one.at < self._known.at - REPORTED_AFTER}
        if lost := (waited | long_ago) - on_card:
            yield f"of {len(lost)} messages nothing is told: {sorted(lost)[:3]}"


def _found(folder: DataFolder, what: str) -> Any:
    """Return what a data folder says of something that was changed."""
    kind, _, name = what.partition(" ")
    if kind == "administrator":
        return any(one["username"] == name for one in folder.config.many(ADMINISTRATORS)) or None
    if kind == "modem":
        return any(one.get("name") == name for one in folder.store.read("modems") or ()) or None
    if kind == "blocked":
        return name in folder.blocklist or None
    if "." in kind:
        section, setting = kind.split(".")
        return next((one.get(setting) for one in folder.store.read(section) or ()), None)
    return _NOT_KEPT


def _ids(folder: DataFolder) -> Iterator[str]:
    place = ""
    while True:
        page = folder.report.search(ReportFilter(), place, 200)
        yield from (one.message.message_id for one in page.messages)
        if not page.further:
            return
        place = page.further
