"""The identity of a device: made, read from the document that a card brings, and written to one."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from otppi.api.errors import InvalidSettings
from otppi.host.administrators.device_code import ALPHABET
from otppi.host.clock.zone_names import is_zone
from otppi.host.identity.countries import COUNTRIES
from otppi.text import _
from otppi.text.languages import languages
from otppi.wire.errors import FieldError

FILE_NAME: Final = "otppi-device.json"
"""Of the document on the card's boot partition."""
IN_USE: Final = "otppi-in-use.txt"
"""What a device writes on the boot partition at its first boot: the card is its own from then on."""
LARGEST: Final = 262_144
"""Octets that this document may have: the first boot reads no more."""

SSID_PREFIX: Final = "OTP-Pi-"
CODE_LENGTH: Final = 16
"""Characters of the device's code."""
_GROUP: Final = 4

EASY: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of a passphrase: small letters and digits, which phones type without a shift key; none of 0 o, 1 i l."""
_DRAWN: Final = 12
"""Characters that are drawn: 12 of 31 are 59.4 bits. The hyphens between their groups are typed, too: a passphrase that
is printed with gaps is typed with spaces by some people, and without by others."""

_NAMES: Final = ("ssid", "passphrase", "device_code", "country", "time_zone", "language", "settings")
_DEFAULTS: Final[Mapping[str, str]] = {"country": "ID", "time_zone": "Asia/Jakarta", "language": "id"}


@dataclass(frozen=True, slots=True)
class Identity:
    """What is told to nobody but the owner of a device, on the brochure, and where that owner is.

    Attributes:
        ssid: The name of the access point, 1 to 32 printable characters of ASCII.
        passphrase: That of its WPA2, 8 to 63 printable characters of ASCII (IEEE 802.11-2020 annex J.4).
        device_code: 16 characters of `ALPHABET`, without the hyphens that people write.
        country: Where it is used (ISO 3166-1 alpha-2).
        time_zone: A name of the IANA's tables.
        language: The one that its owner reads, such as `id`.
        settings: A document of settings for the gateway's first start, unchecked; None where there is none.
    """

    ssid: str
    passphrase: str = field(repr=False)
    device_code: str = field(repr=False)
    country: str = _DEFAULTS["country"]
    time_zone: str = _DEFAULTS["time_zone"]
    language: str = _DEFAULTS["language"]
    settings: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def written_code(self) -> str:
        """The code of the device, as people write it: `ACDE-FHJK-MNPQ-RTUW`."""
        return _grouped(self.device_code)

    def document(self) -> dict[str, Any]:
        """Return the document that `read` takes, ready for JSON."""
        document: dict[str, Any] = {name: getattr(self, name) for name in _NAMES}
        if self.settings is None:
            del document["settings"]
        return document


def make(
    *,
    country: str = _DEFAULTS["country"],
    time_zone: str = _DEFAULTS["time_zone"],
    language: str = _DEFAULTS["language"],
    ssid: str | None = None,
    passphrase: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Identity:
    """Make the identity of a new device; what is not given is drawn at random, or the default.

    Raises:
        InvalidSettings: With every field that cannot be.
    """
    drawn = Identity(
        ssid=SSID_PREFIX + _drawn(ALPHABET, _GROUP) if ssid is None else ssid,
        passphrase=_grouped(_drawn(EASY, _DRAWN)) if passphrase is None else passphrase,
        device_code=_drawn(ALPHABET, CODE_LENGTH),
        country=country,
        time_zone=time_zone,
        language=language,
        settings=settings,
    )
    return read(drawn.document())


def read(document: object) -> Identity:
    """Read the identity from a document, which a person may have written: a code with hyphens is one without.

    Country, time zone and language may be left out, and so may the settings, which are checked by who takes them.

    Raises:
        InvalidSettings: With every field that is missing, not known or not valid.
    """
    if not isinstance(document, Mapping):
        raise InvalidSettings([FieldError("document", _("must be an object"))])
    problems = [FieldError(str(name), _("is not a field of a device")) for name in document if name not in _NAMES]
    values = {**_DEFAULTS, **document}
    for name, problem_of in _CHECKS.items():
        if name not in values:
            problems.append(FieldError(name, _("is missing")))
        elif problem := problem_of(values[name]) if isinstance(values[name], str) else _("must be text"):
            problems.append(FieldError(name, problem))
    if not isinstance(values.get("settings"), Mapping | None):
        problems.append(FieldError("settings", _("must be an object of sections")))
    if problems:
        raise InvalidSettings(problems)
    return Identity(**{**values, "device_code": _tidy(values["device_code"])})


def _ssid_problem(value: str) -> str | None:
    if not _is_printed(value):
        return _("must be of ASCII: letters, digits, punctuation, and spaces within it")
    return None if len(value) <= 32 else _("must be of 32 characters at most")


def _passphrase_problem(value: str) -> str | None:
    if not _is_printed(value):
        return _("must be of ASCII: letters, digits, punctuation, and spaces within it")
    return None if 8 <= len(value) <= 63 else _("must be of 8 to 63 characters")


def _is_printed(value: str) -> bool:
    """Whether a person can read a text off paper, and type it: of ASCII, and with no space that cannot be seen."""
    return re.fullmatch("[!-~]([ -~]*[!-~])?", value) is not None


def _code_problem(value: str) -> str | None:
    code = _tidy(value)
    right = len(code) == CODE_LENGTH and set(code) <= set(ALPHABET)
    return None if right else _("must be of {count} characters of {alphabet}", count=CODE_LENGTH, alphabet=ALPHABET)


def _country_problem(value: str) -> str | None:
    return None if value in COUNTRIES else _("must be the code of a country in two letters, such as ID (ISO 3166)")


def _zone_problem(value: str) -> str | None:
    return None if is_zone(value) else _("must be a time zone that is known here, such as Asia/Jakarta")


def _language_problem(value: str) -> str | None:
    known = languages()
    return None if value in known else _("must be one of: {choices}", choices=", ".join(known))


_CHECKS: Final = {
    "ssid": _ssid_problem,
    "passphrase": _passphrase_problem,
    "device_code": _code_problem,
    "country": _country_problem,
    "time_zone": _zone_problem,
    "language": _language_problem,
}


def _tidy(code: str) -> str:
    return re.sub(r"[\s-]", "", code).upper()


def _drawn(alphabet: str, count: int) -> str:
    return "".join(secrets.choice(alphabet) for _number in range(count))


def _grouped(characters: str) -> str:
    return "-".join(characters[at : at + _GROUP] for at in range(0, len(characters), _GROUP))
