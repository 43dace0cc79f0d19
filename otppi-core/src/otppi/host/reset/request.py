"""What the files of a stick ask for: read as a stranger's, and not judged here."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from otppi.api.media import CODE_FILE, KEYS_FILE
from otppi.host.reset.groups import BY_CODE
from otppi.host.reset.java_properties import UnreadablePropertiesError, properties_of

_LONGEST_CODE: Final = 64
_VERIFY: Final = "VERIFY"
_WIPE: Final = "WIPE_SECRETS"
_PREFIX: Final = "RESET_"
_GROUPS: Final[Mapping[str, str]] = {
    "user": "administrator",
    "email": "mail",
    "smtp": "mail",
    "subscriber_activemq": "subscriber_stomp",
}
"""What parts are called that have another name in the keys file; ActiveMQ is spoken to by STOMP here."""
_PUBLIC: Final = {"deviceType": "RPi", "baseName": "reset-config.ini"}
"""What the VERIFY of earlier devices says, in JSON and base64: the same on every one."""
_MOST_GROUPS: Final = 64


@dataclass(frozen=True, slots=True)
class ResetRequest:
    """What one file asks for.

    Attributes:
        file: Its name.
        code: What it shows to be allowed to; empty where it shows nothing.
        groups: The names of the parts, whether there are such parts or not.
        wipe: Whether secrets are to be wiped.
        is_public: Whether it shows the word that everybody knows.
    """

    file: str
    code: str = field(repr=False)
    groups: tuple[str, ...]
    wipe: bool = False
    is_public: bool = False


def requests_of(files: Mapping[str, bytes]) -> list[ResetRequest]:
    """Return what the files ask for that are there; one that asks for nothing is none."""
    read = {CODE_FILE: _by_code, KEYS_FILE: _by_keys}
    return [asked for name, content in files.items() if name in read and (asked := read[name](content)) is not None]


def _by_code(content: bytes) -> ResetRequest | None:
    return ResetRequest(CODE_FILE, code, BY_CODE) if (code := _code(_text(content))) else None


def _by_keys(content: bytes) -> ResetRequest | None:
    try:
        found = properties_of(_as_utf_8(content))
    except UnreadablePropertiesError:
        return None
    names = [
        key.removeprefix(_PREFIX).lower()
        for key, value in found.items()
        if key.startswith(_PREFIX) and value.strip().lower() == "true"
    ]
    groups = tuple(dict.fromkeys(_GROUPS.get(one, one) for one in names))[:_MOST_GROUPS]
    wipe = found.get(_WIPE, "").strip().lower() == "true"
    shown = found.get(_VERIFY, "").strip()
    if not (groups or wipe):
        return None
    return ResetRequest(KEYS_FILE, _code(shown), groups, wipe, _is_public(shown))


def _code(shown: str) -> str:
    code = shown.strip()
    return code if len(code) <= _LONGEST_CODE else ""


def _is_public(shown: str) -> bool:
    try:
        return bool(json.loads(base64.b64decode(shown, validate=True)) == _PUBLIC)
    except (binascii.Error, ValueError, RecursionError):
        return False


def _text(content: bytes) -> str:
    return _as_utf_8(content).decode("utf-8-sig", "replace")


def _as_utf_8(content: bytes) -> bytes:
    """Return text in UTF-8 that an editor may have saved as UTF-16, with its mark."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace").encode()
    return content
