"""The first boot of a device: who it is comes from the boot partition or is made, and is written where it is needed.

The boot partition is anybody's who has had the card: what is on it may be anything, and it may take nothing. A device
starts all the same, for nobody could log in to mend it.

Run as root, by systemd: `python -m otppi.host.identity.first_boot` for the first boot, with `restore-network` to bring
the network back to what the brochure says.
"""

import json
import logging
import os
import pwd
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from otppi.api.errors import InvalidSettings
from otppi.host.identity.identity import FILE_NAME, IN_USE, LARGEST, Identity, make, read
from otppi.kit.files import as_json, replace_whole, sync_folder

logger = logging.getLogger(__name__)

_ACCESS_POINT: Final = "otppi-ap.nmconnection"
_ETHERNET: Final = "otppi-ethernet.nmconnection"
_UUID: Final = "6f1f6e0f-7c0c-5c8d-9a3e-3b1f0d6d4e11"
"""Of the access point's profile, on every device: it is a name, and says nothing."""
_MOST_PROBLEMS: Final = 12
"""So many faults of a document are told: the console has 25 lines or more."""
_LONGEST_PROBLEM: Final = 120
"""Characters of one that are told."""


@dataclass(frozen=True, slots=True)
class DeviceFiles:
    """The places of a device's files.

    Attributes:
        root: The root of the file system.
        user: The gateway's user, to whom the data folder belongs; None where it stays with who runs this.
    """

    root: Path = Path("/")
    user: str | None = "otppi"

    @property
    def given(self) -> Path:
        """What `personalise` has put on the card."""
        return self.root / "boot/firmware" / FILE_NAME

    @property
    def in_use(self) -> Path:
        """What tells `personalise` that the card is a device's."""
        return self.root / "boot/firmware" / IN_USE

    @property
    def told(self) -> Path:
        """Where a device that nobody has personalised tells who it is, until it has an administrator."""
        return self.root / "boot/firmware/otppi-this-device.txt"

    @property
    def told_on_console(self) -> Path:
        """The same for the console, on the card's other partition: the boot partition may take nothing."""
        return self.root / "etc/otppi/this-device.txt"

    @property
    def kept(self) -> Path:
        """Who the device is, for root only; the first boot is done when it is there."""
        return self.root / "etc/otppi/device.json"

    @property
    def access_point(self) -> Path:
        """NetworkManager's profile of the access point."""
        return self.root / "etc/NetworkManager/system-connections" / _ACCESS_POINT

    @property
    def changed(self) -> tuple[Path, ...]:
        """What people have changed of the network, on the card and on trial; without it all is as in the beginning."""
        profiles = [
            self.root / folder / "NetworkManager/system-connections" / name
            for folder, name in (("etc", _ETHERNET), ("run", _ETHERNET), ("run", _ACCESS_POINT))
        ]
        return (*profiles, self.root / "etc/otppi/dhcp.json", self.root / "run/otppi-dhcp-conf/trial.json")

    @property
    def data(self) -> Path:
        """The gateway's data folder."""
        return self.root / "var/lib/otppi"


def first_boot(device: DeviceFiles) -> None:
    """Write who the device is; a power cut on the way repeats it, and what was drawn then was told to nobody.

    Raises:
        OSError: The card takes nothing; its boot partition may take nothing, which is logged.
    """
    if device.kept.exists():
        _take_away_again(device)
        return
    identity, problems = _identity_of(device.given)
    if identity is None:
        identity = make()
        told = _told(identity, problems)
        _write(device.told_on_console, told)
        _write_on_boot_partition(device.told, told)
    _write_access_point(device, identity)
    _write_for_gateway(device, identity)
    _write_on_boot_partition(device.in_use, _in_use(identity))
    _write(device.kept, as_json({**identity.document(), "settings": None}))
    _take_away(device.given)


def restore_network(device: DeviceFiles) -> None:
    """Bring the access point's profile back to what the brochure says, Ethernet to DHCP, and what DHCP gives.

    Raises:
        OSError, ValueError: The device's file cannot be read, or nothing can be written.
        InvalidSettings: It is damaged.
    """
    _write_access_point(device, read(json.loads(device.kept.read_bytes())))
    for path in device.changed:
        path.unlink(missing_ok=True)
        if path.parent.exists():  # else a power cut would bring it back
            sync_folder(path.parent)


def _take_away_again(device: DeviceFiles) -> None:
    """Remove the document of this device, where the power went before, or the boot partition took nothing then.

    Another device's stays: somebody has put it there since, and would look for it.
    """
    identity, _problems = _identity_of(device.given)
    if identity is None:
        return
    try:
        kept = read(json.loads(device.kept.read_bytes()))
    except (ValueError, InvalidSettings):
        logger.exception("%s is damaged", device.kept)
        return
    if replace(identity, settings=None) == kept:
        _take_away(device.given)
    else:
        logger.warning("%s is passed over: it is another device's, and this one is somebody's", device.given)


def _take_away(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.error("%s stays, with its passwords: %s", path, error.strerror)  # noqa: TRY400 - the reason is enough


def _identity_of(path: Path) -> tuple[Identity | None, list[str]]:
    """Return who a document says that the device is; None and what is wrong with it where it cannot be used."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        return None, []
    except OSError as error:
        return None, [f"it cannot be read ({error.strerror})"]
    if len(content) > LARGEST:
        return None, [f"it has more than {LARGEST // 1024} KiB"]
    try:
        identity = read(json.loads(content))
        as_json(identity.settings)  # "\ud800" is JSON, and no UTF-8
    except InvalidSettings as error:
        return None, [f"{problem.field} {problem.reason}" for problem in error.problems]
    except (ValueError, RecursionError):  # what it says may quote a secret
        return None, ["it is not JSON in UTF-8"]
    return identity, []


def _write_access_point(device: DeviceFiles, identity: Identity) -> None:
    """Write the profile (nm-settings-keyfile(5)).

    With pmf=1 (none): some radios of the Raspberry Pi cannot be an access point with protected management frames.
    """
    _write(
        device.access_point,
        f"""[connection]
id=otppi-ap
uuid={_UUID}
type=wifi
interface-name=wlan0
autoconnect=true
autoconnect-retries=0

[wifi]
mode=ap
ssid={"".join(f"{octet};" for octet in identity.ssid.encode())}
band=bg
channel=6

[wifi-security]
key-mgmt=wpa-psk
psk={_quoted(identity.passphrase)}
proto=rsn;
pairwise=ccmp;
group=ccmp;
pmf=1

[ipv4]
method=manual
address1=192.168.0.11/24
never-default=true

[ipv6]
method=link-local
""".encode(),
    )


def _write_for_gateway(device: DeviceFiles, identity: Identity) -> None:
    """Write the code of the device, and the settings of its first start, into the data folder."""
    device.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    given = _with_time_zone(identity)
    for path, content in (
        (device.data / "device-code", f"{identity.device_code}\n".encode()),
        (device.data / "first-settings.json", as_json(given)),
    ):
        _write(path, content)
        _give(path, device.user)
    _give(device.data, device.user)


def _with_time_zone(identity: Identity) -> dict[str, Any]:
    """Return the settings of a device, with its time zone where they do not name one themselves."""
    given = dict(identity.settings or {})
    clock = given.get("clock", {})
    if isinstance(clock, Mapping):  # else it is refused, and that is told
        given["clock"] = {"time_zone": identity.time_zone, **clock}
    return given


def _give(path: Path, user: str | None) -> None:
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def _write_on_boot_partition(path: Path, content: bytes) -> None:
    """Write a file for people; where the boot partition is full, torn or read-only the device starts without."""
    try:
        _write(path, content)
    except OSError as error:
        logger.error("%s cannot be written: %s", path, error.strerror)  # noqa: TRY400 - the reason is enough


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_whole(path, content)


def _told(identity: Identity, problems: list[str]) -> bytes:
    """Return what the owner is told, on the console and on the boot partition: in both languages, on any computer."""
    lines = [
        "OTP-Pi",
        "",
        f"Wi-Fi (SSID)      {identity.ssid}",
        f"Kata sandi Wi-Fi  {identity.passphrase}   (passphrase)",
        f"Kode perangkat    {identity.written_code}   (device code)",
        "Halaman           http://192.168.0.11:8888   (pages)",
        "",
        "Catatlah: file ini hilang setelah administrator pertama dibuat.",
        "Write it down: this file goes when the first administrator is created.",
    ]
    if problems:
        lines += ["", f"{FILE_NAME} tidak dapat dipakai (cannot be used):", *_shown(problems)]
    return _as_text(lines)


def _in_use(identity: Identity) -> bytes:
    return _as_text(
        [
            f"Kartu ini milik perangkat {identity.ssid}. Untuk perangkat lain, tulis ulang kartunya.",
            f"This card is the device {identity.ssid}. For another device, write the card anew.",
        ]
    )


def _as_text(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


def _shown(problems: list[str]) -> list[str]:
    """Return problems as a console may show them: names of fields are a stranger's, and could be its commands."""
    lines = [one.encode("ascii", "replace").decode() for one in problems[:_MOST_PROBLEMS]]
    cut = ["".join(sign if sign.isprintable() and sign != "\\" else "?" for sign in one) for one in lines]
    more = len(problems) - len(cut)
    return [*(f"  {one[:_LONGEST_PROBLEM]}" for one in cut), *([f"  ... {more}"] if more else [])]


def _quoted(value: str) -> str:
    r"""Write a text as a value of a key file (GLib's key file format): `\` and a space in front are escaped."""
    escaped = value.replace("\\", r"\\")
    return r"\s" + escaped[1:] if escaped.startswith(" ") else escaped


def main(arguments: list[str]) -> int:
    """Do what the one argument says; without one, the first boot."""
    if arguments not in ([], ["restore-network"]):
        print("usage: python -m otppi.host.identity.first_boot [restore-network]", file=sys.stderr)  # noqa: T201
        return 2
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    (restore_network if arguments else first_boot)(DeviceFiles())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
