"""What the gateway hands over to the unit, and what it says of itself: one writes it, the other does not believe it.

A gateway that somebody has taken over may write anything: each document has the fields and the types that the gateway's
has, and bounds; what is made of them are numbers.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from otppi.api.settings import Section
from otppi.kit.files import as_json
from otppi.kit.handed_over import BadRequestError
from otppi_firewall_nftables.ports import Row
from otppi_firewall_nftables.settings import SECTION

SERVICES: Final = "services.json"
"""The file with the ports of services."""
SERVICES_FOLDER: Final = "service-firewall"
"""Where that is in the gateway's boot folder: what the gateway gives the service of this plugin there."""
PORTS: Final = "ports.json"
"""The file with the rows of a person."""
PORTS_FOLDER: Final = "trials/firewall"
"""Where that is: what the gateway gives the writer of the section `firewall`."""
LONGEST: Final = 512 * 1024
"""Octets of a document: a thousand rows with their notes have 470,000 at most."""

_MOST_SERVICES: Final = 64
_LONGEST_TRIAL: Final = 600.0
_HIGHEST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Services:
    """The TCP ports at which the gateway listens by its settings.

    Attributes:
        ports: All of them.
        page: That of the administration's pages among them; None where they are not served.
    """

    ports: tuple[int, ...]
    page: int | None

    def document(self) -> bytes:
        """Write it."""
        return as_json({"ports": list(self.ports), "page": self.page})


@dataclass(frozen=True, slots=True)
class Asked:
    """The rows that are to be in use.

    Attributes:
        rows: The rows.
        expires: Until when, by CLOCK_BOOTTIME; None where they are to be kept.
    """

    rows: tuple[Row, ...]
    expires: float | None

    def document(self) -> bytes:
        """Write it."""
        return as_json({"ports": [dict(row) for row in self.rows], "expires": self.expires})


def read_services(document: bytes) -> Services:
    """Read the ports of services.

    Raises:
        BadRequestError: It is none of our documents.
    """
    fields = _object(document, {"ports", "page"})
    ports, page = fields["ports"], fields["page"]
    if not isinstance(ports, list) or len(ports) > _MOST_SERVICES or not all(map(_is_port, ports)):
        raise BadRequestError("the ports of services are not what they have to be")
    if page is not None and not _is_port(page):
        raise BadRequestError("the port of the pages is not what it has to be")
    return Services(tuple(sorted(set(ports))), page)


def read_asked(document: bytes, now: float) -> Asked:
    """Read the rows of a person.

    Args:
        document: What was handed over.
        now: By CLOCK_BOOTTIME.

    Raises:
        BadRequestError: It is none of our documents.
    """
    fields = _object(document, {"ports", "expires"})
    expires = fields["expires"]
    if expires is not None:
        if not isinstance(expires, (int, float)) or isinstance(expires, bool) or not math.isfinite(expires):
            raise BadRequestError("the end of the trial is no time")
        if expires > now + _LONGEST_TRIAL:
            raise BadRequestError("the trial is too long")
    return Asked(read_rows(fields["ports"]), expires)


def read_rows(given: object, section: Section = SECTION) -> tuple[Row, ...]:
    """Read rows as the settings do.

    Args:
        given: What they are said to be.
        section: Whose setting they are.

    Raises:
        BadRequestError: They are none.
    """
    values, problems = section.validate({"ports": given})
    if problems:
        raise BadRequestError("the rows are not what they have to be")
    rows: Sequence[Row] = values["ports"]
    return tuple(rows)


def _object(document: bytes, keys: set[str]) -> Mapping[str, Any]:
    try:
        fields = json.loads(document)
    except (ValueError, RecursionError):
        raise BadRequestError("it is no JSON") from None
    if not isinstance(fields, dict) or fields.keys() != keys:
        raise BadRequestError("it does not have the fields that it has to have")
    return fields


def _is_port(value: object) -> bool:
    return type(value) is int and 1 <= value <= _HIGHEST_PORT
