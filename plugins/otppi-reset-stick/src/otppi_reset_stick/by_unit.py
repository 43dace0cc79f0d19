"""Has a stick read by the unit that may do nothing else, and reads what that wrote as a stranger's file."""

import base64
import binascii
import json
import logging
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from otppi.api.errors import OtpPiError
from otppi.api.media import LARGEST, WANTED, Medium
from otppi.kit import system_units
from otppi.text import Text, words
from otppi_reset_stick.read_stick import LARGE, SLOW, UNREADABLE
from otppi_reset_stick.text import _

logger = logging.getLogger(__name__)

UNIT: Final = "otppi-read-stick@{device}.service"
ANSWERS: Final = Path("/run/otppi-stick")
_PATIENCE: Final = 100.0
"""Seconds for the unit. systemd ends it after 60; but while a stick does not answer, the kernel does not let go of the
program for 30 s more (SD_TIMEOUT, drivers/scsi/sd.h)."""
_LONGEST: Final = 4 * len(WANTED) * LARGEST
_WHY: Final[Mapping[str, Text]] = {
    LARGE: _("a file on it is larger than 64 KiB"),
    SLOW: _("it takes too long to read"),
    UNREADABLE: _("its file system cannot be read"),
}


class ByUnit:
    """Reads sticks.

    Args:
        answers: The folder of the unit's answers.
        start: Starts a unit, and waits until it has done its work.
    """

    def __init__(self, answers: Path = ANSWERS, start: Callable[[str, float], None] = system_units.start) -> None:
        self._answers = answers
        self._start = start

    def read(self, device: str, identity: str) -> Medium:
        """Return what is on a device, by its name below /dev."""
        try:
            self._start(UNIT.format(device=device), _PATIENCE)
            return Medium(device, identity, *_answer(self._answers / f"{device}.json"))
        except OtpPiError as error:
            logger.warning("%s is not read: %s", device, error)
            return Medium(device, identity, problem=words(error))
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            logger.error("%s: the answer of its reader cannot be used: %s", device, type(error).__name__)  # noqa: TRY400
            return Medium(device, identity, problem=_WHY[UNREADABLE])


def _answer(path: Path) -> tuple[dict[str, bytes], str]:
    """Read an answer.

    Raises:
        OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError: It is none that the program writes.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("no file")
        raw = file.read(_LONGEST + 1)
    if len(raw) > _LONGEST:
        raise ValueError("too long")
    told = json.loads(raw)
    problem = told["problem"] if isinstance(told, dict) else None
    if problem:
        return {}, _WHY[problem if problem in _WHY else UNREADABLE]
    files = {name: _content(written) for name, written in told["files"].items() if name in WANTED}
    return files, ""


def _content(written: str) -> bytes:
    try:
        content = base64.b64decode(written, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    if len(content) > LARGEST:
        raise ValueError("too large")
    return content
