"""Reads a brochure as people and phones do: its words off the PDF, its QR codes off pictures, by other programs."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path


def words(pdf: Path, page: int) -> str:
    """Return the text of a page, each run of white space as one space."""
    command = ["pdftotext", "-layout", "-f", str(page), "-l", str(page), str(pdf), "-"]
    return " ".join(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def codes(picture: Path) -> set[str]:
    """Return what the QR codes in a picture say."""
    command = ["zbarimg", "--quiet", "--nodbus", "--raw", "-Sdisable", "-Sqrcode.enable", str(picture)]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())


@dataclass(frozen=True, slots=True)
class Word:
    """A word, and where it is: points from the page's upper left corner."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def covers(self, other: "Word") -> bool:
        """Whether some of the other word is under this one, by more than the white around letters."""
        beside = min(self.right, other.right) - max(self.left, other.left)
        below = min(self.bottom, other.bottom) - max(self.top, other.top)
        return beside > 0.5 and below > 0.35 * min(self.bottom - self.top, other.bottom - other.top)


def places(pdf: Path, page: int) -> list[Word]:
    """Return the words of a page with their places."""
    command = ["pdftotext", "-bbox", "-f", str(page), "-l", str(page), str(pdf), "-"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.findall(r'<word xMin="(.+)" yMin="(.+)" xMax="(.+)" yMax="(.+)">(.*)</word>', shown)
    return [Word(text, *map(float, place)) for *place, text in found]
