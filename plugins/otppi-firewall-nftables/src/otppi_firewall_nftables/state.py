"""What the unit tells the gateway: which documents it has obeyed last, and what is on trial."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from otppi.kit.files import as_json
from otppi_firewall_nftables.ports import Row

TOLD: Final = Path("/run/otppi-firewall")
"""The folder of root's in which that is, for all to read."""
STATE: Final = "state.json"
LOADED: Final = "loaded"
"""The file of the script that loads the table at boot: one of the words below."""
LOADED_KEPT, LOADED_BUILT_IN, LOADED_DAMAGED = "kept", "built-in", "damaged"


def digest(document: bytes | None) -> str:
    """Return by what a document is told from others; empty where there is none."""
    return "" if document is None else hashlib.sha256(document).hexdigest()


@dataclass(frozen=True, slots=True)
class State:
    """What the unit has done last.

    Attributes:
        services, asked: The digests of the two documents that it has obeyed; empty where there was none.
        trial: The rows that were on trial then; None where none were.
        expires: Until when they are, by CLOCK_BOOTTIME.
    """

    services: str = ""
    asked: str = ""
    trial: tuple[Row, ...] | None = None
    expires: float = 0.0

    def document(self) -> bytes:
        """Write it."""
        trial = None if self.trial is None else [dict(row) for row in self.trial]
        about = {"services": self.services, "asked": self.asked, "trial": trial, "expires": self.expires}
        return as_json(about)


def read_state(folder: Path = TOLD) -> State | None:
    """Return what the unit has done last; None where it has done nothing since the table was loaded."""
    try:
        about: dict[str, Any] = json.loads((folder / STATE).read_bytes())
    except FileNotFoundError:
        return None
    trial = about["trial"]
    return State(about["services"], about["asked"], None if trial is None else tuple(trial), about["expires"])


def loaded_at_boot(folder: Path = TOLD) -> str:
    """Return which table was loaded at boot; empty where none was."""
    try:
        return (folder / LOADED).read_text().strip()
    except FileNotFoundError:
        return ""
