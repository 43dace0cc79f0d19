"""QR codes (ISO/IEC 18004): what a phone reads off the brochure."""

import re
from collections.abc import Iterator
from typing import Final

import segno

_QUIET: Final = 4
"""Modules of white around a code (ISO/IEC 18004 6.3.8)."""


def wifi(ssid: str, passphrase: str) -> str:
    r"""Return what joins a phone to a Wi-Fi: the WIFI scheme of ZXing, in which a backslash escapes \ ; , : and "."""
    return f"WIFI:T:WPA;S:{_escaped(ssid)};P:{_escaped(passphrase)};;"


def _escaped(value: str) -> str:
    return re.sub(r'([\\;,:"])', r"\\\1", value)


def drawn(content: str) -> tuple[int, Iterator[tuple[int, int, int]]]:
    """Draw a code of which dirt may hide a seventh (level M).

    Returns:
        How many modules wide it is, the white around it included, and its dark runs: column, row and modules.
    """
    code = segno.make_qr(content, error="m")
    return len(code.matrix) + 2 * _QUIET, _runs(code)


def _runs(code: segno.QRCode) -> Iterator[tuple[int, int, int]]:
    for row, modules in enumerate(code.matrix):
        for run in re.finditer(b"\x01+", bytes(modules)):
            yield run.start() + _QUIET, row + _QUIET, len(run[0])
