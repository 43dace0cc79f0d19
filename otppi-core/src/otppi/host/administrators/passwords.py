"""Which passwords an administrator may have: long enough, and not among those that are guessed first."""

import json
import logging
import re
import socket
import sys
from collections.abc import Iterable, Mapping

from otppi.api.errors import Busy
from otppi.host.administrators.settings import length_problem
from otppi.text import _

logger = logging.getLogger(__name__)

LEAST_SCORE = 3
"""Of zxcvbn: at least 10^8 guesses."""
_TIMEOUT = 60.0
"""Seconds: a Raspberry Pi 3 that is busy needs a few."""
_AGAIN = 5.0
_OF_THE_PRODUCT = ("otp-pi", "otppi", "otp", "sms", "gateway")
_REASONS: Mapping[str, str] = {
    "own": _("can be guessed too easily: it has the name, number or address of the account, or a common word, in it"),
    "known": _("can be guessed too easily: it is, or begins with, one of the passwords that are used most"),
    "word": _("can be guessed too easily: it is made of a common word or name"),
    "keyboard": _("can be guessed too easily: it follows the keys of a keyboard"),
    "repeat": _("can be guessed too easily: it repeats itself"),
    "sequence": _("can be guessed too easily: it has a sequence such as abc or 123 in it"),
    "date": _("can be guessed too easily: it has a date or a year in it"),
    "short": _("can be guessed too easily: it is too short, add a few words"),
}


def password_problem(password: str, about: Iterable[str]) -> str | None:
    """Return what is wrong with a password that is to be set (ASVS 5.0 6.2.1, 6.2.4, 6.2.5, 6.2.9, 6.2.11).

    It takes a process of about 14 MB for a moment, so ask only where a password is set.

    Args:
        password: It.
        about: What is known of its owner: user name, telephone number, e-mail address.

    Raises:
        Busy: There is no memory, or no time, to tell.
    """
    if not password:
        return _("is required")
    if reason := length_problem(password):
        return reason
    score, weakness = _judged(password, own_words(about))
    return None if score >= LEAST_SCORE else _REASONS.get(weakness, _REASONS["short"])


def own_words(about: Iterable[str]) -> list[str]:
    """Return what a stranger would try first: each that is told, and its parts, and the names of device and product."""
    told = [*about, socket.gethostname(), *_OF_THE_PRODUCT]
    return list(dict.fromkeys(word for one in told for word in (one, *re.split(r"[\W_]+", one)) if word))


def _judged(password: str, words: list[str]) -> tuple[int, str]:
    import subprocess  # with what it loads, only where a password is set

    asked = json.dumps({"password": password, "words": words})
    command = [sys.executable, "-m", "otppi.host.administrators.strength"]
    try:
        done = subprocess.run(command, input=asked.encode(), capture_output=True, timeout=_TIMEOUT, check=True)
        answer = json.loads(done.stdout)
        return int(answer["score"]), str(answer["weakness"])
    except (OSError, subprocess.SubprocessError, ValueError, LookupError) as error:
        logger.error("a new password could not be judged: %s", type(error).__name__)  # noqa: TRY400 - a trace may quote
        raise Busy(_("the password could not be checked: memory or time is short"), _AGAIN) from None
