"""The second factor: codes of an authenticator app (TOTP, RFC 6238), each taken once, and recovery codes."""

import base64
import hashlib
import hmac
import json
import logging
import re
import secrets
import socket
from pathlib import Path

from otppi.kit.files import as_json, replace_whole

logger = logging.getLogger(__name__)

STEP = 30
"""Seconds that a code is shown for (RFC 6238 section 4.1)."""
WINDOW = 1
"""Steps before and after the present one whose codes are taken (RFC 6238 section 5.2)."""
RECOVERY_CODES = 10
_ISSUER = "OTP-Pi"
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _IN_GROUP = 4, 4  # 16 of 31 characters: 79 bits, so that one SHA-256 keeps them as well as any slower hash
_MOST_COUNTERS = 256


def new_secret() -> str:
    """Make a secret of 160 bits (RFC 4226 section 4)."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def uri_of(secret: str, username: str) -> str:
    """Return the URI that an authenticator app reads from a QR code; it names the account and the device."""
    import pyotp  # only for who has an authenticator app: it takes a megabyte

    return pyotp.TOTP(secret).provisioning_uri(name=f"{username}@{socket.gethostname()}", issuer_name=_ISSUER)


def counter_of(secret: str, code: str, now: float) -> int | None:
    """Return the counter whose code this is, of the present step or one beside it; None of any other code.

    Args:
        secret: In base32.
        code: As it was typed.
        now: In Unix seconds.
    """
    typed = re.sub(r"\s", "", code)
    if not re.fullmatch("[0-9]{6}", typed):
        return None
    import pyotp  # as above

    totp, present = pyotp.TOTP(secret), int(now) // STEP
    found = None
    for counter in range(max(0, present - WINDOW), present + WINDOW + 1):  # all of them: the time tells nothing
        if hmac.compare_digest(totp.generate_otp(counter), typed):
            found = counter
    return found


def new_recovery_codes() -> tuple[list[str], list[str]]:
    """Make recovery codes: the codes, to be shown once, and the hashes that are kept."""
    codes = [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_IN_GROUP)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    ]
    return codes, [recovery_hash(code) for code in codes]


def recovery_hash(code: str) -> str:
    """Return the hash under which a recovery code is kept, however it is typed."""
    typed = re.sub(r"[\s-]", "", code).lower()
    return hashlib.sha256(typed.encode("utf-8", "surrogatepass")).hexdigest()


class UsedCounters:
    """The greatest counter of each secret that was used: neither its code nor an earlier one is taken again.

    Kept in a file on the RAM disk, so that a gateway that starts again knows them. One thread at a time.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counters = self._read()

    def spend(self, secret: str, counter: int) -> bool:
        """Use a counter; False where it, or a later one, was used before."""
        key = hashlib.sha256(secret.encode()).hexdigest()[:16]
        if counter <= self._counters.get(key, -1):
            return False
        self._counters.pop(key, None)
        self._counters[key] = counter
        while len(self._counters) > _MOST_COUNTERS:
            del self._counters[next(iter(self._counters))]
        try:
            replace_whole(self._path, as_json(self._counters))
        except OSError as error:
            logger.error("a used code is known until the gateway ends only: %s", error.strerror)  # noqa: TRY400
        return True

    def _read(self) -> dict[str, int]:
        try:
            kept = json.loads(self._path.read_bytes())
            return {str(key): int(counter) for key, counter in kept.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):
            logger.warning("the counters of used codes cannot be read: codes of the last minute may be taken again")
            return {}
