"""What makes a card a device's own: an identity on its boot partition, and the country for the kernel."""

import json
import re
from pathlib import Path
from typing import Final

from image.card.boot_partition import BootPartition, CardError
from image.card.texts import _
from otppi.host.identity.identity import FILE_NAME, IN_USE, Identity, read

_COMMAND_LINE: Final = "cmdline.txt"
OWN_IDENTITY: Final = "otppi-this-device.txt"
"""What a device writes that made its own identity, as it found none at its first boot."""
_COUNTRY: Final = b"cfg80211.ieee80211_regdom="
"""The country by whose rules Wi-Fi transmits, for the kernel's module; without it the Wi-Fi of a Pi stays off."""


class Card:
    """The image of a card of ours.

    Args:
        image: A file, or a block device.

    Raises:
        CardError: It is none, or cannot be used.
        OSError: It cannot be opened.
    """

    def __init__(self, image: Path) -> None:
        self._boot = BootPartition(image)
        self._image = image
        if not self._boot.has(_COMMAND_LINE) or not self._boot.read(_COMMAND_LINE).strip():
            raise CardError(
                _(
                    "{image} is no card image of OTP-Pi: its boot partition has no {name}",
                    image=image,
                    name=_COMMAND_LINE,
                )
            )

    def check_new(self, *, again: bool) -> None:
        """Refuse a card that is somebody's already.

        Args:
            again: Whether another identity may be on it, which no device has taken yet.

        Raises:
            CardError: It is.
        """
        if self._boot.has(OWN_IDENTITY):
            raise CardError(
                _(
                    "{image} was in a device already, which made its own identity: write the card anew",
                    image=self._image,
                )
            )
        if self._boot.has(IN_USE):
            raise CardError(_("{image} is a device's already, and stays it: write the card anew", image=self._image))
        if self._boot.has(FILE_NAME) and not again:
            raise CardError(
                _(
                    "{image} is personalised already; --again gives it another identity, and what was printed is "
                    "wrong then",
                    image=self._image,
                )
            )

    def identity(self) -> Identity:
        """Read the identity that is on it.

        Raises:
            CardError: There is none, or it cannot be read.
            InvalidSettings: It is not valid.
        """
        if not self._boot.has(FILE_NAME):
            raise CardError(
                _("{image} has no identity: it is not personalised, or a device has taken it", image=self._image)
            )
        try:
            document = json.loads(self._boot.read(FILE_NAME))
        except (ValueError, RecursionError) as error:
            raise CardError(_("{image}: {name} is no JSON", image=self._image, name=FILE_NAME)) from error
        return read(document)

    def write(self, identity: Identity) -> None:
        """Write the identity, last of all: with it the card is personalised.

        Raises:
            CardError, OSError: The card does not take it.
        """
        command_line = with_country(self._boot.read(_COMMAND_LINE), identity.country)
        self._boot.write(_COMMAND_LINE, command_line)
        self._boot.write(FILE_NAME, encoded(identity))


def encoded(identity: Identity) -> bytes:
    """Return the file of an identity."""
    return f"{json.dumps(identity.document(), ensure_ascii=False, indent=2)}\n".encode()


def with_country(content: bytes, country: str) -> bytes:
    """Say a country in a kernel's command line, which is the first line of the file and is kept in one."""
    line, end, rest = content.partition(b"\n")
    words = [word for word in re.split(rb"[ \t\r]+", line) if word and not word.startswith(_COUNTRY)]
    return b" ".join([*words, _COUNTRY + country.encode("ascii")]) + (end or b"\n") + rest
