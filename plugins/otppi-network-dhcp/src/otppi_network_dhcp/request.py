"""What the gateway asks the unit for, as a file: one writes it, and the other reads it as if somebody hostile had.

The unit's program is root and the gateway is not: a gateway that somebody has taken over may write anything. So no link
is followed, nothing is read that is not its file, and values are taken only as the section of settings takes them;
dnsmasq's own text is never handed over.
"""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from otppi.kit.files import as_json, replace_whole
from otppi_network_dhcp.plugin import SECTION

UNIT: Final = "otppi-dhcp-apply.service"
FOLDER: Final = "network-dhcp"
"""In the gateway's folder below /run."""
FILE: Final = "request.json"
TRY, KEEP, DROP = "try", "keep", "drop"
LONGEST: Final = 16 * 1024
MOST_SECONDS: Final = 600

BAD, OVER, BUSY = 2, 3, 4
"""Exit statuses of the unit: it is no request; there is no trial; there is one already."""


class BadRequestError(ValueError):
    """What was handed over is not what the gateway writes. Nothing of it is quoted."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be done: `try` values for some seconds, `keep` those on trial, or `drop` them."""

    verb: str
    seconds: float = 0.0
    values: Mapping[str, Any] = field(default_factory=dict)


def hand_over(runtime: Path, request: Request) -> None:
    """Write a request into the gateway's folder.

    Raises:
        OSError: It cannot be written.
    """
    folder = runtime / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    document = {"verb": request.verb, "seconds": request.seconds, "values": dict(request.values)}
    replace_whole(folder / FILE, as_json(document))


def handed_over(runtime: Path, user: int) -> Request:
    """Read the request.

    Args:
        runtime: The gateway's folder below /run.
        user: Whose it and all in it has to be.

    Raises:
        BadRequestError: It is none of ours, or it cannot be read.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    opened: list[int] = []
    try:
        for name, more in ((runtime, os.O_DIRECTORY), (FOLDER, os.O_DIRECTORY), (FILE, os.O_NONBLOCK)):
            opened.append(os.open(name, flags | more, dir_fd=opened[-1] if opened else None))
            if os.fstat(opened[-1]).st_uid != user:
                raise BadRequestError("it is not the gateway's")
        if not stat.S_ISREG(os.fstat(opened[-1]).st_mode):
            raise BadRequestError("it is no file")
        content = os.read(opened[-1], LONGEST + 1)  # at once: it is a file
    except OSError as error:
        raise BadRequestError(f"it cannot be read: {error.strerror}") from None
    finally:
        for descriptor in opened:
            os.close(descriptor)
    if len(content) > LONGEST:
        raise BadRequestError("it is too long")
    return parse(content)


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
