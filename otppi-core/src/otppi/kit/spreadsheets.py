"""Cells of CSV files (RFC 4180) that a spreadsheet shows and never runs (OWASP, CSV Injection)."""

from typing import Final

BYTE_ORDER_MARK: Final = "\ufeff"
"""By which spreadsheets know that a file is in UTF-8."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""With which a cell of a spreadsheet begins that is run."""
_SPECIAL: Final = frozenset(',;"\r\n\t')


def harmless(text: str) -> str:
    """Return a text with an apostrophe before it where a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def quoted(text: str) -> str:
    """Write a text as a cell."""
    doubled = harmless(text).replace('"', '""')
    return f'"{doubled}"'


def quoted_where_needed(text: str) -> str:
    """Write a text as a cell, without quotation marks where it can be read without them."""
    return harmless(text) if _SPECIAL.isdisjoint(text) else quoted(text)
