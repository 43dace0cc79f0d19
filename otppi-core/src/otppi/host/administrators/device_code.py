"""The code of the device: who can read it, on the brochure or by `otppi admin code`, may claim the device."""

import hmac
import logging
import re
import secrets
from pathlib import Path
from threading import Lock

from otppi.kit.files import replace_whole

logger = logging.getLogger(__name__)

ALPHABET = "3479ACDEFHJKMNPQRTUWXY"
"""No character looks like another one in any font: none of 0 O, 1 I L, 2 Z, 5 S, 6 G, 8 B, U V."""
LENGTH = 16
"""Characters of a code: with it alone a device is claimed, and reset from a stick; nobody guesses 71 bits."""
_EARLIER_LENGTH = 8
"""Those of a code that was made before, which is on its brochure: it goes on being the device's."""
_GROUP = 4


class DeviceCode:
    """Made once, at random, and kept in a file of mode 0600: the characters, and a line feed. Any thread.

    The card image writes that file at its first boot, before the gateway starts, as the code is on the brochure.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._code = ""

    @property
    def code(self) -> str:
        """The code, as people write it: `ACDE-FHJK-MNPQ-RTUW`."""
        with self._lock:
            self._code = code = self._code or self._read() or self._make()
            return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))

    def matches(self, typed: str) -> bool:
        """Whether this is the code, however it is written; takes as long for any that is not."""
        return hmac.compare_digest(_tidy(self.code).encode(), _tidy(typed).encode("utf-8", "surrogatepass"))

    def _read(self) -> str:
        try:
            kept = self._path.read_text("ascii").strip()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError):
            kept = ""
        if len(kept) not in (LENGTH, _EARLIER_LENGTH) or not set(kept) <= set(ALPHABET):
            logger.error("the code of the device cannot be read, and is made anew (otppi admin code)")
            return ""
        return kept

    def _make(self) -> str:
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        try:
            replace_whole(self._path, f"{code}\n".encode())
        except OSError as error:
            logger.error("the code of the device holds until the gateway ends: %s", error.strerror)  # noqa: TRY400
        return code


def _tidy(typed: str) -> str:
    return re.sub(r"[\s-]", "", typed[:64]).upper()
