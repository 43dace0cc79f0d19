"""What the programs of Linux that drive modems have in common: reasons, lists of numbers in files beside them."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from otppi.host.importing.findings import Findings, ImportOutcome
from otppi.host.importing.ini import listed_numbers
from otppi.text import _

NOT_NEEDED: Final = _("no such setting is needed here, or there is none")
SENDERS: Final = _("senders use the REST API, or a broker, instead of files and databases")
HANDLERS: Final = _("no program is run here: the webhook tells a server what came in, and what became of messages")
NO_PORT: Final = _("without a port there is no modem: plug it in, and take it into use on the page of modems")
NOT_GIVEN: Final = _("the file was not given: put it into one folder with the configuration, and import that")

_SHORTEST_NUMBER: Final = 7
"""Digits: what has fewer is the beginning of numbers, or a short number."""


def block_listed(found: Findings, files: Mapping[str, str], file: str, key: str, path: str) -> None:
    """Note the numbers of a blocking list whose path a configuration names, where that file was given, too."""
    label = beside(files, path)
    if label is None:
        found.leave(file, key, path, NOT_GIVEN, ImportOutcome.ASK)
        return
    if label in found.lists:  # a configuration may name it a thousand times
        return
    found.lists.add(label)
    for entry in listed_numbers(files[label]):
        digits = entry.lstrip("+")
        if digits.isdecimal() and len(digits) >= _SHORTEST_NUMBER:
            found.block(label, entry)
        else:
            reason = _(
                "numbers are blocked here, and not all that begin so; sms.countries says which countries may receive"
            )
            found.leave(label, entry, "", reason)


def beside(files: Mapping[str, str], path: str) -> str | None:
    """Return the label of the file that a path names, by the name of the file alone."""
    name = PurePosixPath(path.removeprefix("file:")).name
    return next((label for label in files if label == name or label.endswith(f"/{name}")), None)
