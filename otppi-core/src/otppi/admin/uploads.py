"""Forms with files (`multipart/form-data`, RFC 7578), read in RAM: nothing of an upload is ever on the card.

CherryPy would keep parts above 1,000 octets in files, decode texts by any codec that a part names, read forms within
forms, and take as many parts as there are. Nothing of that is needed: what is not as browsers write it is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

LARGEST_UPLOAD: Final = 4 * 1024 * 1024
"""Octets of a form with files, all of it (ASVS 5.0, 5.2.1)."""
MULTIPART: Final = "multipart/form-data"
_MOST_PARTS: Final = 100
_LONGEST_HEAD: Final = 2048
"""Octets of the header fields of a part: names of files are at most 255 octets, each of which may be three letters."""
_BOUNDARY: Final = re.compile(r"[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]", re.ASCII)
"""RFC 2046, 5.1.1."""
_PARAMETER: Final = re.compile(r';\s*([a-z*-]+)\s*=\s*(?:"([^"\r\n]*)"|([^\s;"]+))', re.IGNORECASE | re.ASCII)

Fields = dict[str, "str | Upload | list[str | Upload]"]


class MalformedUploadError(ValueError):
    """It is not as browsers write it. Says nothing of what it holds."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent. What it is called on the sender's computer is nobody's business, and not kept.

    Attributes:
        content: Its octets, in RAM.
    """

    content: bytes = field(repr=False)


def read_form(body: bytes, content_type: str) -> Fields:
    """Read a form: texts, files, and a list of them where a name comes several times.

    Args:
        body: All of it.
        content_type: The header field, which names the boundary.

    Raises:
        MalformedUploadError: It is none, or has more than a hundred parts.
    """
    marker = b"\r\n--" + _boundary(content_type)
    # The first marker may stand at the very beginning; what is before it, and after the last, is nobody's (5.1.1).
    _preamble, *parts = (b"\r\n" + body).split(marker, _MOST_PARTS + 1)
    if not parts or not parts.pop().startswith(b"--"):
        raise MalformedUploadError("the form has no end, or too many parts")
    fields: Fields = {}
    for part in parts:
        name, value = _read_part(part)
        known = fields.get(name)
        fields[name] = value if known is None else [*(known if isinstance(known, list) else [known]), value]
    return fields


def uploaded(fields: Mapping[str, Any], name: str) -> bytes | None:
    """Return the file of a form's field, the first where there are several; None where none was chosen."""
    value = fields.get(name)
    found = value[0] if isinstance(value, list) and value else value
    return found.content if isinstance(found, Upload) and found.content else None


def _boundary(content_type: str) -> bytes:
    found = _parameters(content_type).get("boundary", "")
    if not _BOUNDARY.fullmatch(found):
        raise MalformedUploadError("the form names no boundary")
    return found.encode()


def _read_part(part: bytes) -> "tuple[str, str | Upload]":
    head, blank, content = part.partition(b"\r\n\r\n")
    if not blank or len(head) > _LONGEST_HEAD:
        raise MalformedUploadError("a part has no header fields, or too long ones")
    try:
        lines = head.decode().split("\r\n")
        disposition = next(one for one in lines if one.lower().startswith("content-disposition:"))
        named = _parameters(disposition)
        is_file = "filename" in named or "filename*" in named
        return named["name"], Upload(content) if is_file else content.decode()
    except (UnicodeDecodeError, StopIteration, KeyError):
        # From None: the error of a codec holds what it could not read.
        raise MalformedUploadError("a part has no name, or is not in UTF-8") from None


def _parameters(field_value: str) -> dict[str, str]:
    """Return the parameters of a header field; the first of a name counts."""
    found = [(one[1].lower(), one[2] if one[2] is not None else one[3]) for one in _PARAMETER.finditer(field_value)]
    return dict(reversed(found))
