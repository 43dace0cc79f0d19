"""The first boot of a device: who it is comes from the boot partition or is made, and is written where it is needed.

Run as root, by systemd: `python -m otppi.host.identity.first_boot` for the first boot, with `restore-network` to bring
the access point back to what the brochure says.
"""

import json
import os
import pwd
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from otppi.api.errors import InvalidSettings
from otppi.host.identity.identity import FILE_NAME, LARGEST, Identity, make, read
from otppi.kit.files import as_json, replace_whole

_ACCESS_POINT: Final = "otppi-ap.nmconnection"
_UUID: Final = "6f1f6e0f-7c0c-5c8d-9a3e-3b1f0d6d4e11"
"""Of the access point's profile, on every device: it is a name, and says nothing."""


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
    def told(self) -> Path:
        """Where a device that nobody has personalised tells who it is, until it has an administrator."""
        return self.root / "boot/firmware/otppi-this-device.txt"

    @property
    def kept(self) -> Path:
        """Who the device is, for root only; the first boot is done when it is there."""
        return self.root / "etc/otppi/device.json"

    @property
    def access_point(self) -> Path:
        """NetworkManager's profile of the access point."""
        return self.root / "etc/NetworkManager/system-connections" / _ACCESS_POINT

    @property
    def data(self) -> Path:
        """The gateway's data folder."""
        return self.root / "var/lib/otppi"


def first_boot(device: DeviceFiles) -> None:
    """Write who the device is; a power cut on the way repeats it, and what was drawn then was told to nobody.

    Raises:
        OSError: The card takes nothing.
    """
    if device.kept.exists():
        return
    identity, problems = _identity_of(device.given)
    if identity is None:
        identity = make()
        _write(device.told, _told(identity, problems))
    _write_access_point(device, identity)
    _write_for_gateway(device, identity)
    _write(device.kept, as_json({**identity.document(), "settings": None}))
    device.given.unlink(missing_ok=True)


def restore_network(device: DeviceFiles) -> None:
    """Bring the access point's profile back to what the brochure says.

    Raises:
        OSError, ValueError: The device's file cannot be read, or nothing can be written.
        InvalidSettings: It is damaged.
    """
    _write_access_point(device, read(json.loads(device.kept.read_bytes())))


def _identity_of(path: Path) -> tuple[Identity | None, list[str]]:
    """Return who a document says that the device is; None and what is wrong with it where it cannot be used."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        return None, []
    except OSError as error:  # such as of a file system that a power cut has torn: it is a device all the same
        return None, [f"it cannot be read ({error.strerror})"]
    if len(content) > LARGEST:
        return None, [f"it has more than {LARGEST // 1024} KiB"]
    try:
        return read(json.loads(content)), []
    except InvalidSettings as error:
        return None, [f"{problem.field} {problem.reason}" for problem in error.problems]
    except (ValueError, RecursionError):  # what it says may quote a secret
        return None, ["it is not JSON in UTF-8"]


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
    given = dict(identity.settings or {})
    given.setdefault("clock", {"time_zone": identity.time_zone})
    for path, content in (
        (device.data / "device-code", f"{identity.device_code}\n".encode()),
        (device.data / "first-settings.json", as_json(given)),
    ):
        _write(path, content)
        _give(path, device.user)
    _give(device.data, device.user)


def _give(path: Path, user: str | None) -> None:
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(path, account.pw_uid, account.pw_gid)


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
        lines += ["", f"{FILE_NAME} tidak dapat dipakai (cannot be used):", *(f"  {one}" for one in problems)]
    return "".join(f"{line}\r\n" for line in lines).encode()


def _quoted(value: str) -> str:
    r"""Write a text as a value of a key file (GLib's key file format): `\` and a space in front are escaped."""
    escaped = value.replace("\\", r"\\")
    return r"\s" + escaped[1:] if escaped.startswith(" ") else escaped


def main(arguments: list[str]) -> int:
    """Do what the one argument says; without one, the first boot."""
    if arguments not in ([], ["restore-network"]):
        print("usage: python -m otppi.host.identity.first_boot [restore-network]", file=sys.stderr)  # noqa: T201
        return 2
    (restore_network if arguments else first_boot)(DeviceFiles())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
