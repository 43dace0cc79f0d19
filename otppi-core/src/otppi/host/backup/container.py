"""The container of a backup: sealed with a passphrase, opened again; refused where it is none, damaged, or hostile.

    octets  what
    8       the magic, `OTPPIBAK`
    1       version of the container: 1
    1       Argon2id: passes (t)
    1       Argon2id: lanes (p)
    1       0
    4       Argon2id: memory in KiB (m), big-endian
    16      salt
    12      nonce
    ...     AES-256-GCM of the content (zlib, RFC 1950), with all of the above as associated data, and its tag of 16
    32      SHA-256 of all of the above: tells a damaged or cut file from a wrong passphrase

The key is Argon2id (RFC 9106) of the passphrase in UTF-8, NFC: 32 octets.
"""

import hashlib
import os
import struct
import threading
import unicodedata
import zlib
from dataclasses import dataclass
from typing import Final

from otppi.api.errors import InvalidSettings
from otppi.text import Text, _
from otppi.wire.errors import FieldError

MAGIC: Final = b"OTPPIBAK"
VERSION: Final = 1
LARGEST: Final = 2_900_000
"""Octets of a container: as base64 it has to pass through the control socket, whose lines are shorter than 4 MiB."""
LARGEST_CONTENT: Final = 24 * 1024 * 1024
"""Octets of what is in one: what would unfold to more is refused before it takes the memory."""
SHORTEST_PASSPHRASE: Final = 12
LONGEST_PASSPHRASE: Final = 1024

_HEAD: Final = struct.Struct(">8sBBBBI16s12s")
_TAG: Final = 16
_SUM: Final = hashlib.sha256().digest_size
_MOST_MEMORY: Final = 256 * 1024
"""KiB that a header may ask for; a device has 1 GB."""
_MOST_PASSES: Final = 10
_MOST_LANES: Final = 16
_ONE_AT_A_TIME: Final = threading.Lock()
"""Held while a key is derived: two at once would take twice the memory."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """The parameters of Argon2id.

    Attributes:
        passes: t.
        lanes: p.
        memory: m, in KiB.
    """

    passes: int = 3
    lanes: int = 4
    memory: int = 64 * 1024

    @property
    def bearable(self) -> bool:
        """Whether they are permitted (RFC 9106 3.1), and no attack on whoever opens the file."""
        return (
            1 <= self.passes <= _MOST_PASSES
            and 1 <= self.lanes <= _MOST_LANES
            and 8 * self.lanes <= self.memory <= _MOST_MEMORY
        )


def passphrase_problem(passphrase: object) -> str | None:
    """Return what is wrong with a passphrase that is to seal something."""
    if not isinstance(passphrase, str) or len(passphrase) < SHORTEST_PASSPHRASE:
        return _("must have at least {count} characters", count=SHORTEST_PASSPHRASE)
    if len(passphrase) > LONGEST_PASSPHRASE:
        return _("must have at most {count} characters", count=LONGEST_PASSPHRASE)
    return None


def seal(content: bytes, passphrase: str, derivation: Derivation | None = None) -> bytes:
    """Return the container of a content.

    Raises:
        InvalidSettings: It would be too large.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    how = derivation or Derivation()
    salt, nonce = os.urandom(16), os.urandom(12)
    head = _HEAD.pack(MAGIC, VERSION, how.passes, how.lanes, 0, how.memory, salt, nonce)
    body = AESGCM(_key(passphrase, salt, how)).encrypt(nonce, zlib.compress(content, 9), head)
    if len(head) + len(body) + _SUM > LARGEST or len(content) > LARGEST_CONTENT:
        raise _refused(_("would be larger than {count:,d} octets: there is too much to be kept", count=LARGEST))
    return head + body + hashlib.sha256(head + body).digest()


def unsealed(container: bytes, passphrase: str) -> bytes:
    """Return the content of a container.

    Raises:
        InvalidSettings: It is none, is damaged, asks for too much, is of another version, or the passphrase is wrong;
            `content` or `passphrase` is named.
    """
    how, salt, nonce = _header(container)
    head, body = container[: _HEAD.size], container[_HEAD.size : -_SUM]
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        packed = AESGCM(_key(passphrase, salt, how)).decrypt(nonce, body, head)
    except InvalidTag:
        reason = _("is not the one that this backup was made with")
        raise InvalidSettings([FieldError("passphrase", reason)]) from None
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(packed, LARGEST_CONTENT)
    except zlib.error:
        raise _refused(_("cannot be read, although the passphrase is right")) from None
    if not unpacker.eof:
        raise _refused(_("holds more than {count:,d} octets", count=LARGEST_CONTENT))
    return content


def _header(container: bytes) -> tuple[Derivation, bytes, bytes]:
    """Return what the header says, before anything is done by it: parameters, salt, nonce."""
    if len(container) > LARGEST:
        raise _refused(_("is larger than {count:,d} octets, and so no backup of this device", count=LARGEST))
    if not container.startswith(MAGIC):
        raise _refused(_("is no backup of OTP-Pi"))
    if len(container) > len(MAGIC) and container[len(MAGIC)] != VERSION:
        version = container[len(MAGIC)]
        raise _refused(
            _("is of version {version}, and this device reads version {own}: update it", version=version, own=VERSION)
        )
    if len(container) < _HEAD.size + _TAG + _SUM:
        raise _refused(_("is cut off: copy it once more"))
    if hashlib.sha256(container[:-_SUM]).digest() != container[-_SUM:]:
        raise _refused(_("is damaged or cut off: copy it once more"))
    _magic, _version, passes, lanes, _zero, memory, salt, nonce = _HEAD.unpack_from(container)
    how = Derivation(passes, lanes, memory)
    if not how.bearable:
        raise _refused(_("asks for more work than a device may be made to do"))
    return how, salt, nonce


def _key(passphrase: str, salt: bytes, how: Derivation) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    derive = Argon2id(salt=salt, length=32, iterations=how.passes, lanes=how.lanes, memory_cost=how.memory).derive
    with _ONE_AT_A_TIME:
        return bytes(derive(unicodedata.normalize("NFC", passphrase).encode()))


def _refused(reason: Text) -> InvalidSettings:
    return InvalidSettings([FieldError("content", reason)])
