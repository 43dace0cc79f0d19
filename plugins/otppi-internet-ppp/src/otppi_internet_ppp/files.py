"""Files of what nobody else may read."""

import os
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Write a file that only we can read; one of that name that somebody has put there as a link is not followed."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as file:
        file.write(text)
