"""The brochure as it is drawn: A5 in landscape, a page for each language, all of it vectors."""

from collections.abc import Sequence
from typing import Final

from image.card import qr_code, wording
from image.card.fonts import BLACK, CODE, TEXT
from image.card.pen import ACCENT, FAINT, GROUND, WHITE, Box, Pen, Type
from otppi.host.identity.identity import Identity
from otppi.text import Text
from otppi.text.languages import languages, translated

_LEFT: Final = 11.0
_RIGHT: Final = 199.0
_TOP: Final = 24.5
_BOTTOM: Final = 109.5
"""The two columns begin and end at the same heights."""
_WIFI: Final = Box(120, _TOP, _RIGHT - 120, 62)
_ADDRESS: Final = Box(120, _BOTTOM - 20, _RIGHT - 120, 20)
_BAR: Final = Box(_LEFT, 113, _RIGHT - _LEFT, 15)
_FOOT: Final = 132.5
_PADDING: Final = 6.0
_DISC: Final = 8.0
_STEPS: Final = _LEFT + _DISC + 4
"""Where the words of the steps begin."""
_BELOW_TITLE: Final = 5.8

_TITLE: Final = Type(TEXT, 26, colour=FAINT)
_NAME: Final = Type(BLACK, 26, colour=ACCENT)
_HEAD: Final = Type(TEXT, 12.5, "B")
_BODY: Final = Type(TEXT, 10, colour=FAINT)
_LABEL: Final = Type(TEXT, 9, colour=FAINT)
_TYPED: Final = Type(CODE, 17, "B")
_NUMBER: Final = Type(BLACK, 12, colour=WHITE)
_SMALL: Final = Type(TEXT, 8, colour=FAINT)
_ON_BAR: Final = Type(TEXT, 9.5, colour=WHITE)


def leaflet(identity: Identity) -> bytes:
    """Draw the brochure of a device as a PDF.

    Raises:
        OtpPiError: A font is missing.
    """
    pen = Pen(f"OTP-Pi: {identity.ssid}")
    for language in page_languages(identity):
        pen.add_page()
        _Page(pen, identity, language).draw()
    return pen.document()


def page_languages(identity: Identity) -> Sequence[str]:
    """Return the languages of the pages: first the one that the device's owner reads."""
    return sorted(languages(), key=lambda one: (one != identity.language, one))


class _Page:
    """One page, in one language."""

    def __init__(self, pen: Pen, identity: Identity, language: str) -> None:
        self._pen = pen
        self._identity = identity
        self._language = language

    def draw(self) -> None:
        """Draw all of it."""
        self._head()
        self._steps()
        self._wifi()
        self._address()
        self._code()
        self._foot()

    def _said(self, text: Text) -> str:
        return str(translated(text, self._language))

    def _head(self) -> None:
        self._pen.icon(_LEFT, 8, 11)
        self._pen.line(_LEFT + 14, 10.2, "OTP-Pi", _NAME)
        self._pen.line(_LEFT + 14 + self._pen.width("OTP-Pi ", _NAME) + 2, 10.2, self._said(wording.TITLE), _TITLE)

    def _steps(self) -> None:
        """Write the steps, with the same space between all of them."""
        width = _WIFI.left - 6 - _STEPS
        helps = [self._said(step.help) for step in wording.STEPS]
        heights = [_BELOW_TITLE + self._pen.height(width, one, _BODY) for one in helps]
        space = (_BOTTOM - _TOP - sum(heights)) / (len(heights) - 1)
        top = _TOP
        for number, (step, help_, height) in enumerate(zip(wording.STEPS, helps, heights, strict=True), 1):
            self._pen.disc(_LEFT, top, _DISC, str(number), _NUMBER, ACCENT)
            self._pen.line(_STEPS, top + 0.4, self._said(step.title), _HEAD)
            self._pen.paragraph(_STEPS, top + _BELOW_TITLE, width, help_, _BODY)
            top += height + space

    def _wifi(self) -> None:
        self._pen.area(_WIFI, GROUND, radius=4)
        left, top, width = _WIFI.left + _PADDING, _WIFI.top + 5, _WIFI.width - 2 * _PADDING
        self._pen.qr(qr_code.wifi(self._identity.ssid, self._identity.passphrase), left, top, 31)
        self._pen.disc(left + 36, top, _DISC, "3", _NUMBER, ACCENT)
        self._pen.paragraph(left + 36, top + _DISC + 4, width - 36, self._said(wording.JOIN), _HEAD)
        self._pen.line(left, top + 34.2, self._said(wording.NETWORK), _LABEL)
        self._pen.fitted(left, top + 38.4, width, self._identity.ssid, _TYPED._replace(size=14), least=9)
        self._pen.line(left, top + 45.1, self._said(wording.PASSPHRASE), _LABEL)
        self._pen.fitted(left, top + 49.3, width, self._identity.passphrase, _TYPED, least=9)

    def _address(self) -> None:
        self._pen.area(_ADDRESS, GROUND, radius=4)
        left, width = _ADDRESS.left + _PADDING, _ADDRESS.width - 20 - _PADDING - 3
        self._pen.qr(wording.ADDRESS, _ADDRESS.left + _ADDRESS.width - 18.5, _ADDRESS.top + 1.5, 17)
        self._pen.disc(left, _ADDRESS.top + 2.8, _DISC, "4", _NUMBER, ACCENT)
        self._pen.line(left + _DISC + 3, _ADDRESS.top + 5.3, self._said(wording.OPEN), _HEAD)
        self._pen.fitted(left, _ADDRESS.top + 13.6, width, wording.ADDRESS, _TYPED._replace(size=11), least=6)

    def _code(self) -> None:
        self._pen.area(_BAR, ACCENT, radius=4)
        left, right = _BAR.left + _PADDING, _WIFI.left + _PADDING
        self._pen.line(left, _BAR.top + 3.2, self._said(wording.CODE), _ON_BAR)
        self._pen.line(left, _BAR.top + 8, self._identity.written_code, Type(CODE, 15, "B", WHITE))
        self._pen.line(right, _BAR.top + 3.2, self._said(wording.KEEP), _HEAD._replace(colour=WHITE))
        self._pen.line(right, _BAR.top + 9.2, self._said(wording.KEEP_HELP), _ON_BAR)

    def _foot(self) -> None:
        top = _FOOT
        law = wording.LAW.filled(country=self._identity.country)
        for note in (*wording.NOTES, law):
            top = self._pen.paragraph(_LEFT, top, _RIGHT - _LEFT, self._said(note), _SMALL)
