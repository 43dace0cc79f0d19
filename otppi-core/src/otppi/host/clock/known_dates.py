"""The newest date that this device cannot be before: of the program, of its system, of what was kept."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import otppi

_DATED: Final = (Path(otppi.__file__), Path("/etc/os-release"))


def newest_date(data: Path, dated: Iterable[Path] = _DATED) -> float:
    """Return it in Unix seconds: a clock that says less was not set since the device was switched on.

    Args:
        data: The data folder, in which the settings tell when they were kept.
        dated: Files of the image.
    """
    files = (*dated, data / "settings.json")
    return max((path.stat().st_mtime for path in files if path.exists()), default=0.0)
