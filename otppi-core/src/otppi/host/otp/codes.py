"""One-time passwords themselves: how one is made, and the keyed hash by which it is known again."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence

ALPHABETS = {
    "digits": "0123456789",
    # No vowels, so that no words come out; none of the signs that look alike: I L O, 0 1, and U V.
    "letters": "BCDFGHJKMNPQRSTVWXYZ",
    # Nor B 8, G 6, S 5, Z 2.
    "letters-digits": "CDFHJKMNPQRTVWXY23456789",
}
"""What codes may be made of, by the name that the settings have for it."""

_SIZE = 16
"""Octets of a hash: its key is unknown to whoever could look for a second code of the same hash."""


def new_code(length: int, alphabet: str) -> str:
    """Make a code; every one is as likely as any other (`secrets` draws without modulo bias)."""
    signs = ALPHABETS[alphabet]
    return "".join(secrets.choice(signs) for _ in range(length))


def tidy(code: str) -> str:
    """Bring a code that a person typed into the form in which it was made: capitals, no blanks and hyphens."""
    return "".join(code.split()).replace("-", "").upper()


class Hasher:
    """The keyed hashes (BLAKE2b, RFC 7693); without the key nobody can try codes on them."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def place(self, owner: str, reference: str) -> bytes:
        """Name what codes are for: who may verify them, and the reference."""
        return self._hash(b"otp-place", (owner.encode(), reference.encode()))

    def code(self, message_id: str, place: bytes, receiver: str, params: Sequence[str | None], code: str) -> bytes:
        """Hash a code with everything that it is bound to; a parameter that is left out is like an empty one."""
        bound = (message_id.encode(), place, receiver.encode())
        return self._hash(b"otp-code", (*bound, *((one or "").encode() for one in params), code.encode()))

    def _hash(self, purpose: bytes, fields: Iterable[bytes]) -> bytes:
        joined = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
        return hashlib.blake2b(joined, key=self._key, digest_size=_SIZE, person=purpose).digest()
