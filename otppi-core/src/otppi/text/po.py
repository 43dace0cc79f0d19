"""Reads the catalogues of translators (.po) into the form that Python's gettext reads (.mo).

So that what is read is what is written: no compiled file can be forgotten in a clone, or be older than its source.
"""

import re
import struct
from collections.abc import Iterator

_MAGIC = 0x950412DE  # and the header and the tables of GNU gettext's manual, 10.3
_HEADER = struct.Struct("<7I")
_PLACE = struct.Struct("<II")
_LINE = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d+\])?)?\s*"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


def compiled(source: str) -> bytes:
    """Write a catalogue as a .mo file; entries that are fuzzy, obsolete or without a translation are left out.

    Raises:
        ValueError: A line is not of a .po file.
    """
    messages = sorted(_messages(source))
    keys = _HEADER.size
    texts = keys + _PLACE.size * len(messages)
    tables, body = b"", b""
    for column in (0, 1):
        for message in messages:
            octets = message[column].encode()
            tables += _PLACE.pack(len(octets), texts + _PLACE.size * len(messages) + len(body))
            body += octets + b"\0"
    return _HEADER.pack(_MAGIC, 0, len(messages), keys, texts, 0, 0) + tables + body


def _messages(source: str) -> Iterator[tuple[str, str]]:
    """Yield what is translated, and by what, its plural forms with NUL between them."""
    for fields, flags in _entries(source):
        key = fields.get("msgid")
        forms = [text for field, text in sorted(fields.items()) if field.startswith("msgstr")]
        if key is None or not all(forms) or ("fuzzy" in flags and key):
            continue
        if "msgid_plural" in fields:
            key += "\0" + fields["msgid_plural"]
        yield (f"{fields['msgctxt']}\x04{key}" if "msgctxt" in fields else key), "\0".join(forms)


def _entries(source: str) -> Iterator[tuple[dict[str, str], str]]:
    """Yield the entries of a catalogue: their fields, and their flags."""
    fields: dict[str, str] = {}
    field = flags = ""
    for number, raw in enumerate(source.splitlines(), 1):
        line = raw.strip()
        if field.startswith("msgstr") and (not line or line.startswith(("#", "msgctxt", "msgid"))):
            yield fields, flags
            fields, field, flags = {}, "", ""
        if line.startswith("#,"):
            flags += line
        if not line or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None or not (found[1] or field):
            raise ValueError(f"line {number} is not of a .po file")
        field = found[1] or field
        fields[field] = fields.get(field, "") + _ESCAPE.sub(lambda one: _ESCAPED.get(one[1], one[1]), found[2])
    if fields:
        yield fields, flags
