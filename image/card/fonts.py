"""The fonts of the brochure, as Debian packages bring them; what is used of them is embedded in the PDF."""

from pathlib import Path
from typing import Final, NamedTuple

from image.card.texts import _
from otppi.api.errors import OtpPiError


class Font(NamedTuple):
    """A file, and the package that brings it."""

    path: Path
    package: str


_TRUETYPE: Final = Path("/usr/share/fonts/truetype")
TEXT: Final = "text"
BLACK: Final = "black"
CODE: Final = "code"
"""What is to be typed: it tells 0 from O, and 1 from l."""
_FONTS: Final = {
    (TEXT, ""): Font(_TRUETYPE / "lato/Lato-Regular.ttf", "fonts-lato"),
    (TEXT, "B"): Font(_TRUETYPE / "lato/Lato-Bold.ttf", "fonts-lato"),
    (BLACK, ""): Font(_TRUETYPE / "lato/Lato-Black.ttf", "fonts-lato"),
    (CODE, "B"): Font(_TRUETYPE / "dejavu/DejaVuSansMono-Bold.ttf", "fonts-dejavu-core"),
}


def fonts() -> dict[tuple[str, str], Path]:
    """Return the files of the fonts by family and style (empty, or B for bold).

    Raises:
        OtpPiError: Some are missing, with the packages that bring them.
    """
    missing = sorted({one.package for one in _FONTS.values() if not one.path.is_file()})
    if missing:
        raise OtpPiError(
            _("fonts of the brochure are missing (apt-get install {packages})", packages=" ".join(missing))
        )
    return {name: one.path for name, one in _FONTS.items()}
