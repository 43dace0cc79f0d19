"""Writes dnsmasq's configuration before each of its starts, as root: `python -I -m otppi_network_dhcp.render`.

The values are those on trial, else those that are kept, else the brochure's; the address is that of the access point's
profile, as NetworkManager has it: that on trial, or the one on the card.
"""

import configparser
import ipaddress
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from otppi.kit.files import as_json, new_name, replace_whole
from otppi_network_dhcp.configuration import DEFAULTS, configuration, in_use

logger = logging.getLogger(__name__)

_PROFILE: Final = "NetworkManager/system-connections/otppi-ap.nmconnection"
_BROCHURE: Final = ipaddress.IPv4Interface("192.168.0.11/24")
_FOR_ALL: Final = 0o644


@dataclass(frozen=True, slots=True)
class DhcpFiles:
    """The places of files.

    Attributes:
        root: The root of the file system.
    """

    root: Path = Path("/")

    @property
    def kept(self) -> Path:
        """The values that were confirmed."""
        return self.root / "etc/otppi/dhcp.json"

    @property
    def folder(self) -> Path:
        """Root's folder on a RAM disk, for all to read."""
        return self.root / "run/otppi-dhcp-conf"

    @property
    def trial(self) -> Path:
        """The values on trial, and until when."""
        return self.folder / "trial.json"

    @property
    def configuration(self) -> Path:
        """What dnsmasq reads."""
        return self.folder / "dhcp.conf"

    @property
    def in_use(self) -> Path:
        """The values that dnsmasq was started with."""
        return self.folder / "in-use.json"

    @property
    def claimed(self) -> Path:
        """There when the device has an administrator."""
        return self.root / "var/lib/otppi/claimed"

    def own(self) -> ipaddress.IPv4Interface:
        """Return the access point's address; the brochure's where its profile does not say one."""
        for folder in ("run", "etc"):  # what is in RAM goes before what is on the card
            try:
                return _address_of((self.root / folder / _PROFILE).read_text())
            except FileNotFoundError:
                continue
            except (OSError, ValueError, configparser.Error) as error:
                logger.warning("the access point's address cannot be read in /%s: %s", folder, error)
        return _BROCHURE

    def on_trial(self) -> Mapping[str, Any] | None:
        """Return the values on trial; None where there are none, or their time is over."""
        try:
            document = json.loads(self.trial.read_bytes())
        except FileNotFoundError:
            return None
        values: Mapping[str, Any] = document["values"]
        return values if time.clock_gettime(time.CLOCK_BOOTTIME) < document["until"] else None

    def kept_values(self) -> Mapping[str, Any]:
        """Return the values that were confirmed; the brochure's where there are none that can be read."""
        try:
            return {**DEFAULTS, **json.loads(self.kept.read_bytes())}
        except FileNotFoundError:
            return DEFAULTS
        except (OSError, ValueError, TypeError) as error:
            logger.warning("%s cannot be used, the brochure's values are: %s", self.kept, error)
            return DEFAULTS


def render(files: DhcpFiles) -> None:
    """Write the configuration, and which values are used.

    Raises:
        OSError: It cannot be written.
    """
    values, own = files.on_trial() or files.kept_values(), files.own()
    used = in_use(values, own)
    files.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    text = configuration(used, own, portal=not files.claimed.exists())
    write_for_all(files.configuration, text.encode())
    write_for_all(files.in_use, as_json(used))


def write_for_all(path: Path, content: bytes) -> None:
    """Replace a file as a whole; everybody may read it.

    Raises:
        OSError: It cannot be written.
    """
    replace_whole(path, content, before=lambda: new_name(path).chmod(_FOR_ALL))


def _address_of(keyfile: str) -> ipaddress.IPv4Interface:
    """Return the first address of a profile (nm-settings-keyfile(5)): `address1=192.168.0.11/24,GATEWAY`.

    Raises:
        ValueError, configparser.Error: There is none.
    """
    parser = configparser.RawConfigParser(delimiters="=", strict=False)
    parser.read_string(keyfile)
    return ipaddress.IPv4Interface(parser.get("ipv4", "address1", fallback="").split(",")[0])


if __name__ == "__main__":
    render(DhcpFiles())
