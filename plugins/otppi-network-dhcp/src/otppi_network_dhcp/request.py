"""What the gateway asks the unit for, as a file: one writes it, and the other reads it as if somebody hostile had.

A gateway that somebody has taken over may write anything: so values are taken only as the section of settings takes
them; dnsmasq's own text is never handed over.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from otppi.kit.files import as_json, replace_whole
from otppi.kit.handed_over import BadRequestError, handed_over
from otppi_network_dhcp.plugin import SECTION

UNIT: Final = "otppi-dhcp-apply.service"
FOLDER: Final = "trials/network_dhcp"
"""In the gateway's boot folder: what it gives the writer of the section `network_dhcp`."""
FILE: Final = "request.json"
TRY, KEEP, DROP = "try", "keep", "drop"
LONGEST: Final = 16 * 1024
MOST_SECONDS: Final = 600

BAD, OVER, BUSY = 2, 3, 4
"""Exit statuses of the unit: it is no request; there is no trial; there is one already."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be done: `try` values for some seconds, `keep` those on trial, or `drop` them."""

    verb: str
    seconds: float = 0.0
    values: Mapping[str, Any] = field(default_factory=dict)


def hand_over(folder: Path, request: Request) -> None:
    """Write a request.

    Args:
        folder: The writer's boot folder.
        request: What is asked for.

    Raises:
        OSError: It cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    document = {"verb": request.verb, "seconds": request.seconds, "values": dict(request.values)}
    replace_whole(folder / FILE, as_json(document))


def read_request(runtime: Path, user: int) -> Request:
    """Read the request.

    Args:
        runtime: The gateway's folder below /run.
        user: Whose it and all in it has to be.

    Raises:
        BadRequestError: It is none of ours, or it cannot be read.
    """
    try:
        with handed_over(runtime, FOLDER, user) as folder:
            return parse(folder.read(FILE, LONGEST))
    except OSError as error:
        raise BadRequestError(f"it cannot be read: {error.strerror}") from None


def parse(document: bytes) -> Request:
    """Read a document.

    Raises:
        BadRequestError: It is none of ours.
    """
    try:
        fields = json.loads(document)
    except (ValueError, RecursionError):
        raise BadRequestError("it is no JSON") from None
    if not isinstance(fields, dict) or fields.keys() != {"verb", "seconds", "values"}:
        raise BadRequestError("it does not have the fields that it has to have")
    verb, seconds = fields["verb"], fields["seconds"]
    if verb not in (TRY, KEEP, DROP):
        raise BadRequestError("it asks for nothing that is known")
    if verb != TRY:
        return Request(verb)
    if type(seconds) not in (int, float) or not 1 <= seconds <= MOST_SECONDS:
        raise BadRequestError("the time is not what it has to be")
    values, problems = SECTION.validate(fields["values"])
    if problems:
        raise BadRequestError("the values are not those of the section")
    return Request(verb, float(seconds), values)
