"""What of diagnostics is hidden: who a person, a modem or a SIM card is, and, should one be there, what is secret."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from otppi.host.numbering.receivers import masked
from otppi.host.settings.config import Config

_IDENTITY: Final = ("imei", "imsi", "iccid", "msisdn")
"""Of a modem and its SIM card, as the operation `modems` tells them."""
_SHORTEST: Final = 6
"""Characters of the shortest value that is looked for: a shorter one would hide what is no secret."""
_HIDDEN: Final = "********"
_NUMBER: Final = re.compile(r"(?<![0-9A-Za-z])\+?[0-9]{8,20}F?(?![0-9A-Za-z])")
"""A telephone number, an IMEI (3GPP TS 23.003 6.2.1: 15 digits), an IMSI (2.2), an ICCID (ITU-T E.118: up to 20)."""
_ADDRESS: Final = re.compile(r"[^…\s\"'<>@:;,()\[\]/\\]{1,64}@(?=[^\s\"'<>@]+\.[A-Za-z])[A-Za-z0-9.-]{1,255}")
_OF_URL: Final = re.compile(r"(?<=://)[^\s/@\"']{1,255}@|(?<=\?)[^\s\"'#]{1,2000}")
"""User and password in an address (RFC 3986 3.2.1), and a query, which may be a token."""


@dataclass(frozen=True, slots=True)
class Disguise:
    """Hides what it is told of, and what looks like numbers and addresses of people.

    Attributes:
        identities: Numbers that are hidden wherever they stand, also within other words.
        secrets: Values that are in no answer of an operation, and should they be, are not in this.
    """

    identities: tuple[str, ...]
    secrets: tuple[str, ...]

    @classmethod
    def of(cls, config: Config, modems: Iterable[Mapping[str, Any]]) -> Self:
        """Return one that knows the modems, as the operation `modems` tells them, and all settings."""
        told = (str(one.get(key) or "") for one in modems for key in _IDENTITY)
        return cls(_longest_first(told), _longest_first(_secrets(config)))

    def of_text(self, text: str) -> str:
        """Return a text with all of it hidden."""
        for one in self.secrets:
            text = text.replace(one, _HIDDEN)
        for one in self.identities:
            text = text.replace(one, masked(one))
        text = _OF_URL.sub(lambda found: "…@" if found[0].endswith("@") else "…", text)
        text = _ADDRESS.sub(lambda found: masked(found[0]), text)
        return _NUMBER.sub(lambda found: masked(found[0]), text)

    def of_value(self, value: Any) -> Any:
        """Return a JSON value with all of it hidden in its texts; numbers are sizes, counts and times."""
        if isinstance(value, str):
            return self.of_text(value)
        if isinstance(value, Mapping):
            return {self.of_text(str(key)): self.of_value(one) for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.of_value(one) for one in value]
        return value


def _longest_first(values: Iterable[str]) -> tuple[str, ...]:
    """Return values that may be looked for: of one that is part of another one the longer is hidden first."""
    return tuple(sorted({one for one in values if len(one) >= _SHORTEST}, key=len, reverse=True))


def _secrets(config: Config) -> Iterator[str]:
    """Yield what is kept of each setting that is declared to be secret."""
    for key, section in config.sections.items():
        values = config.values_of(key)
        for item in values if isinstance(values, list) else [values]:
            for one in section.of(item).settings:
                value = item.get(one.key)
                if one.secret and value:
                    yield from value if isinstance(value, list) else [str(value)]
