"""Passwords: the argon2id hash that is kept instead of one, and whether one is right."""

import base64
import os
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import HashingError, InvalidHashError, VerificationError, VerifyMismatchError
from argon2.low_level import error_to_str

from otppi.api.errors import Busy
from otppi.api.settings import Input, text
from otppi.text import _

# OWASP's recommendation for argon2id: 19 MiB, two passes, one lane; a Raspberry Pi 3 needs about a quarter of a second.
_TIME, _MEMORY, _LANES = 2, 19_456, 1
_HASHER = PasswordHasher(time_cost=_TIME, memory_cost=_MEMORY, parallelism=_LANES)
_SHORT = frozenset({error_to_str(-22), error_to_str(-33)})  # ARGON2_MEMORY_ALLOCATION_ERROR, ARGON2_THREAD_FAIL
_AGAIN = 5.0
PASSWORD_HASH: Final = text(
    "password_hash",
    _("Password hash"),
    _("The argon2id hash, as an export gives it."),
    secret=True,
    # It takes less than 100 MB, lest one that was made elsewhere takes all the memory of a small device.
    pattern=(
        r"\$argon2id\$v=[0-9]{1,3}\$m=[0-9]{1,5},t=[0-9]{1,2},p=[0-9]{1,2}"
        r"\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{16,128}"
    ),
    input=Input.HASH,
)
"""The setting of whoever logs in by a password, which is kept in its place."""
_TOO_LITTLE = _("memory is short, so that no password can be checked")


def hash_password(password: str) -> str:
    """Make the argon2id hash that is kept instead of a password.

    Raises:
        Busy: There is not enough memory.
    """
    try:
        return _HASHER.hash(octets(password))
    except (MemoryError, HashingError) as error:
        raise Busy(_TOO_LITTLE, _AGAIN) from error


def is_password(password_hash: str, password: str) -> bool:
    """Check a password against its hash; none is right where the hash is none.

    Raises:
        Busy: There is not enough memory to tell.
    """
    try:
        return _HASHER.verify(password_hash, octets(password))
    except (VerifyMismatchError, InvalidHashError, UnicodeEncodeError):
        return False
    except MemoryError as error:
        raise Busy(_TOO_LITTLE, _AGAIN) from error
    except VerificationError as error:
        if str(error) in _SHORT:
            raise Busy(_TOO_LITTLE, _AGAIN) from error
        return False


def nobodys_hash() -> str:
    """Make a hash that no password has, and that costs the same to check as any."""
    salt, digest = (base64.b64encode(os.urandom(size)).decode("ascii").rstrip("=") for size in (16, 32))
    return f"$argon2id$v=19$m={_MEMORY},t={_TIME},p={_LANES}${salt}${digest}"


def octets(text: str) -> bytes:
    """Encode a password or a token that came in; it may be anything."""
    return text.encode("utf-8", "surrogatepass")
