"""Characters that a browser would act on or not show: strangers' words come as they were sent, and are seen as that."""

import re
from typing import Final

_CONTROLS: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""C0 and C1 but the tabulator and ends of lines, and what changes the direction of the words around it (Unicode 9)."""
_PICTURES: Final = 0x2400
_DELETE: Final = 0x7F
_REPLACEMENT: Final = "\ufffd"


def visible(text: str) -> str:
    """Return a text with a picture (Unicode 2400) in the place of each control character; others as U+FFFD."""
    return _CONTROLS.sub(_picture, text) if _CONTROLS.search(text) else text


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code == _DELETE:
        return "\u2421"
    return chr(_PICTURES + code) if code < 0x20 else _REPLACEMENT
