"""Draws on a page of a PDF: texts, areas, QR codes. Millimetres from its upper left corner; fonts' sizes are points."""

import logging
from importlib.resources import as_file, files
from typing import Final, NamedTuple

from fpdf import FPDF
from fpdf.drawing import PaintedPath
from fpdf.drawing_primitives import DeviceRGB
from fpdf.enums import Align, MethodReturnValue

from image.card import qr_code
from image.card.fonts import fonts

_A5: Final = (148.0, 210.0)
_POINT: Final = 25.4 / 72
"""Millimetres of a point."""
_LINE: Final = 1.32
"""From one line of a paragraph to the next, in sizes of its font."""
_CLOSE: Final = 1.2
"""The same where something is typed on in the next line."""
_OF_TWO: Final = 9.0
"""Points of what is typed from two lines, at most."""
_CAPITAL: Final = 0.72
"""Height of a capital letter, in sizes of its font: Lato and DejaVu are near enough."""

logging.getLogger("fontTools").setLevel(logging.ERROR)  # it warns that Lato does not say when it was made
Colour = tuple[int, int, int]
INK: Final = (0x17, 0x20, 0x1E)
FAINT: Final = (0x4A, 0x57, 0x53)
ACCENT: Final = (0x0B, 0x6B, 0x6B)
GROUND: Final = (0xEC, 0xF2, 0xF0)
WHITE: Final = (0xFF, 0xFF, 0xFF)


class Type(NamedTuple):
    """How letters look: family, size in points, style (B: bold) and colour."""

    family: str
    size: float
    style: str = ""
    colour: Colour = INK


class Box(NamedTuple):
    """An area of the page."""

    left: float
    top: float
    width: float
    height: float


class Pen:
    """A document of A5 in landscape, and what is drawn on its last page.

    Raises:
        OtpPiError: A font is missing.
    """

    def __init__(self, title: str) -> None:
        self._pdf = FPDF(orientation="landscape", unit="mm", format=_A5)
        self._pdf.set_auto_page_break(auto=False)
        self._pdf.set_margin(0)
        self._pdf.c_margin = 0
        for (family, style), path in fonts().items():
            self._pdf.add_font(family, style, path)
        self._pdf.set_title(title)
        self._pdf.set_creator("OTP-Pi")

    def add_page(self) -> None:
        """Go on with a new page."""
        self._pdf.add_page()

    def document(self) -> bytes:
        """Return the PDF."""
        return bytes(self._pdf.output())

    def line(self, left: float, top: float, text: str, look: Type, *, align: Align = Align.L) -> None:
        """Write one line, whose capital letters begin at `top`; aligned to the right it ends at `left`."""
        self._use(look)
        width = self._pdf.get_string_width(text)
        start = {Align.L: left, Align.C: left - width / 2, Align.R: left - width}[align]
        self._pdf.text(start, top + look.size * _CAPITAL * _POINT, text)

    def width(self, text: str, look: Type) -> float:
        """Return how wide a line is."""
        self._use(look)
        return float(self._pdf.get_string_width(text))

    def paragraph(self, left: float, top: float, width: float, text: str, look: Type) -> float:
        """Write a text in lines that are `width` wide at most; return where the next one would begin."""
        self._use(look)
        height = look.size * _POINT * _LINE
        above = (height - look.size * _CAPITAL * _POINT) / 2
        self._pdf.set_xy(left, top - above)
        self._pdf.multi_cell(width, height, text, align=Align.L)
        return float(self._pdf.get_y()) + above

    def height(self, width: float, text: str, look: Type) -> float:
        """Return how high a paragraph is."""
        self._use(look)
        height = look.size * _POINT * _LINE
        lines = self._pdf.multi_cell(width, height, text, align=Align.L, dry_run=True, output=MethodReturnValue.LINES)
        assert isinstance(lines, list)  # noqa: S101 - it is what was asked for
        return len(lines) * height

    def fitted(self, left: float, top: float, width: float, text: str, look: Type, *, least: float) -> None:
        """Write what is to be typed, as large as it fits; where that is less than `least`, in two lines."""
        size = self._fitting(width, text, look)
        if size >= least:
            self.line(left, top, text, look._replace(size=size))
            return
        halves = _halves(text)
        size = min(self._fitting(width, one, look._replace(size=_OF_TWO)) for one in halves)
        for one in halves:
            self.line(left, top, one, look._replace(size=size))
            top += size * _POINT * _CLOSE

    def _fitting(self, width: float, text: str, look: Type) -> float:
        return min(look.size, look.size * width / self.width(text, look))

    def area(self, box: Box, colour: Colour, *, radius: float = 0.0) -> None:
        """Fill a rectangle, with round corners where there is a radius."""
        self._pdf.set_fill_color(*colour)
        self._pdf.rect(*box, style="F", round_corners=radius > 0, corner_radius=radius)

    def disc(self, left: float, top: float, diameter: float, text: str, look: Type, colour: Colour) -> None:
        """Draw a disc with a short text in its middle."""
        self._pdf.set_fill_color(*colour)
        self._pdf.ellipse(left, top, diameter, diameter, style="F")
        height = look.size * _CAPITAL * _POINT
        self.line(left + diameter / 2, top + (diameter - height) / 2, text, look, align=Align.C)

    def qr(self, content: str, left: float, top: float, size: float) -> None:
        """Draw a QR code and the white around it, which belongs to it."""
        self.area(Box(left, top, size, size), WHITE, radius=2)
        width, runs = qr_code.drawn(content)
        module = size / width
        with self._pdf.new_path() as path:  # one path: between single areas a screen shows seams
            _fill(path, INK)
            for column, row, count in runs:
                path.rectangle(left + column * module, top + row * module, count * module, module)

    def icon(self, left: float, top: float, size: float) -> None:
        """Draw the icon of the product."""
        with as_file(files("otppi.admin") / "static" / "icon.svg") as path:
            self._pdf.image(path, left, top, size, size)

    def _use(self, look: Type) -> None:
        self._pdf.set_font(look.family, look.style, look.size)
        self._pdf.set_text_color(*look.colour)


def _fill(path: PaintedPath, colour: Colour) -> None:
    path.style.fill_color = DeviceRGB(*(part / 255 for part in colour))
    path.style.stroke_color = None


def _halves(text: str) -> list[str]:
    """Cut a text in two near its middle, where nobody overlooks a space at the end of the first line."""
    places = [at for at in range(1, len(text)) if " " not in text[at - 1 : at + 1]] or range(1, len(text))
    at = min(places, key=lambda one: abs(2 * one - len(text)))
    return [text[:at], text[at:]]
