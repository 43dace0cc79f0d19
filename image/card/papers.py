"""The files of a brochure: a PDF to print, and a picture of each of its pages, readable for their owner only."""

import os
import re
import subprocess
from pathlib import Path
from typing import Final

from image.card.leaflet import leaflet, page_languages
from image.card.texts import _
from otppi.api.errors import OtpPiError
from otppi.host.identity.identity import Identity
from otppi.kit.files import replace_whole

_RESOLUTION: Final = "200"
"""Dots per inch: a phone reads the codes off a screen, and a page is 1654 dots wide."""
_PATIENCE: Final = 60.0
"""Seconds in which a page is drawn."""


class Papers:
    """The brochure of a device, drawn and not yet written.

    Raises:
        OtpPiError: A font or pdftoppm is missing.
    """

    def __init__(self, identity: Identity) -> None:
        name = re.sub(r"[^A-Za-z0-9_-]", "_", identity.ssid)
        pdf = leaflet(identity)
        pages = enumerate(page_languages(identity), 1)
        pictures = {f"{name}-{language}.png": _picture(pdf, page) for page, language in pages}
        self._files = {f"{name}.pdf": pdf} | pictures

    def paths(self, folder: Path) -> list[Path]:
        """Return the files that `write` makes in a folder."""
        return [folder / name for name in self._files]

    def write(self, folder: Path) -> None:
        """Write them with mode 0600, over those that are there; a folder that is missing is made.

        Who called sudo gets them (sudo(8), SUDO_UID): whoever prints them is not root.

        Raises:
            OSError: Not all could be written; none of them is there now.
        """
        folder.mkdir(parents=True, exist_ok=True)
        try:
            for name, content in self._files.items():
                replace_whole(folder / name, content)
                _give_to_caller(folder / name)
        except BaseException:
            self.remove(folder)
            raise

    def remove(self, folder: Path) -> None:
        """Remove what `write` made."""
        for path in self.paths(folder):
            path.unlink(missing_ok=True)


def _give_to_caller(path: Path) -> None:
    owner, group = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
    if os.geteuid() == 0 and owner.isdecimal() and group.isdecimal():
        os.chown(path, int(owner), int(group))


def _picture(pdf: bytes, page: int) -> bytes:
    number = str(page)
    command = ["pdftoppm", "-png", "-r", _RESOLUTION, "-f", number, "-l", number, "-singlefile", "-"]
    try:
        return subprocess.run(command, input=pdf, capture_output=True, check=True, timeout=_PATIENCE).stdout
    except FileNotFoundError as error:
        raise OtpPiError(_("{program} is missing (apt-get install poppler-utils)", program=command[0])) from error
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = " ".join((error.stderr or b"").decode("utf-8", "replace").split()) or str(error)
        raise OtpPiError(_("the brochure cannot be made a picture: {reason}", reason=said)) from error
