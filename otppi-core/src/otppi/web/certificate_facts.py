"""What a certificate says of itself, read from its DER without the library: that takes more than a megabyte.

As far as pages show it (RFC 5280 4.1): who, by whom, from when to when, for which names. It checks nothing.
"""

import datetime
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_CONTEXT_VERSION, _CONTEXT_EXTENSIONS = 0xA0, 0xA3
_UTC_TIME: Final = 0x17
_OCTETS: Final = 0x04
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
"""Tags of the names in a subjectAltName (RFC 5280 4.2.1.6)."""
_COMMON_NAME: Final = b"\x55\x04\x03"
_ORGANISATION: Final = b"\x55\x04\x0a"
_ALTERNATIVE_NAMES: Final = b"\x55\x1d\x11"
_TEXTS: Final = {0x1E: "utf-16-be", 0x1C: "utf-32-be"}
"""Encodings of strings by their tags (ITU-T X.690 8.23); all others are read as UTF-8."""
_PIVOT: Final = 50
"""Two digits of a year below it are of this century (RFC 5280 4.1.2.5.1)."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What is shown of a certificate.

    Attributes:
        subject, issuer: Their common names, or else their organisations.
        begins, ends: From when to when it is valid, in Unix seconds.
        names: The host names and addresses that it is for.
        own: Whether it is signed by itself: nobody vouches for it.
    """

    subject: str
    issuer: str
    begins: int
    ends: int
    names: tuple[str, ...]
    own: bool


def facts_of(der: bytes) -> CertificateFacts:
    """Read a certificate.

    Raises:
        ValueError: It is none.
    """
    try:
        return _read(der)
    except (LookupError, StopIteration, UnicodeError, OverflowError) as error:
        raise ValueError("this is no certificate") from error


def _read(der: bytes) -> CertificateFacts:
    (_tag, certificate), *_more = _parts(der)
    (_tag, signed), *_signature = _parts(certificate)
    fields = list(_parts(signed))
    if fields[0][0] == _CONTEXT_VERSION:  # version 1 leaves it out
        del fields[0]
    _number, _algorithm, (_, issuer), (_, validity), (_, subject), *rest = fields
    begins, ends = (_time(tag, value) for tag, value in _parts(validity))
    extensions = next((value for tag, value in rest if tag == _CONTEXT_EXTENSIONS), b"")
    return CertificateFacts(_name(subject), _name(issuer), begins, ends, tuple(_names(extensions)), subject == issuer)


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and value of each element (ITU-T X.690 8.1): tags of one octet, definite lengths, as DER has them."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            octets = length & 0x7F
            length, at = int.from_bytes(data[at : at + octets], "big"), at + octets
        if at + length > len(data):
            raise LookupError("it is cut off")
        yield tag, data[at : at + length]
        at += length


def _time(tag: int, value: bytes) -> int:
    text = value.decode("ascii")
    if tag == _UTC_TIME:
        text = f"{'20' if int(text[:2]) < _PIVOT else '19'}{text}"
    return int(datetime.datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=datetime.UTC).timestamp())


def _name(sequence: bytes) -> str:
    """Return the last common name, which is the most specific one, or else the last organisation."""
    found: dict[bytes, str] = {}
    for _set, relative in _parts(sequence):
        for _tag, attribute in _parts(relative):
            (_object, kind), (tag, value) = _parts(attribute)
            found[kind] = value.decode(_TEXTS.get(tag, "utf-8"), "replace")
    return found.get(_COMMON_NAME) or found.get(_ORGANISATION, "")


def _names(extensions: bytes) -> Iterator[str]:
    for _tag, sequence in _parts(extensions):
        for _each, extension in _parts(sequence):
            (_object, kind), *critical, (tag, value) = _parts(extension)
            if kind == _ALTERNATIVE_NAMES and tag == _OCTETS and len(critical) <= 1:
                yield from _general_names(value)


def _general_names(value: bytes) -> Iterator[str]:
    for _tag, names in _parts(value):
        for tag, name in _parts(names):
            if tag == _DNS_NAME:
                yield name.decode("ascii", "replace")
            elif tag == _IP_ADDRESS and len(name) in (4, 16):
                yield str(ipaddress.ip_address(name))
