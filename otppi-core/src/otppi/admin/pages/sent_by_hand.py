"""A message that a person sends by a page: what came of it, and the words of one that is only a test."""

from collections.abc import Mapping
from typing import Any, Final

from otppi.admin.pages.answers import perform, visit
from otppi.admin.pages.new_modem import SIMULATED
from otppi.admin.pages.tried import Tried, tried
from otppi.admin.parts import Parts
from otppi.host.messages.settings import SMS
from otppi.host.modems.settings import MODEMS
from otppi.host.numbering.numbers import numbers_of
from otppi.text import Text, _
from otppi.text.languages import translated
from otppi.wire.gsm7_tables import LOCKING, SINGLE, NationalLanguage

_UNTYPED: Final = frozenset("\n\r\x1b\f")
"""What is in the alphabet and no key types; a new line counts in the page by itself."""
COUNTED: Final = {
    "alphabet": "".join(one for one in LOCKING[NationalLanguage.DEFAULT] if one not in _UNTYPED),
    "extension": "".join(one for one in SINGLE[NationalLanguage.DEFAULT].values() if one not in _UNTYPED),
}
"""By what a page counts the SMS that a text takes while it is typed (`counted.html`)."""
_TEST: Final[Text] = _("OTP-Pi test")


def test_text() -> str:
    """Return the text of a test, in the language of whoever sends it."""
    return str(translated(_TEST, visit().language))


def beginnings(parts: Parts) -> Mapping[str, str]:
    """Return how the numbers of mobile telephones begin in this country, for a hint: at home, and from elsewhere."""
    home, abroad = numbers_of(parts.config.one(SMS)).beginnings
    return {"home": f"{home}…", "abroad": f"{abroad}…"}


def is_simulated(parts: Parts, message: Mapping[str, Any]) -> bool:
    """Return whether no real telephone gets a message: its modem is simulated, or stands in for one."""
    modems = parts.config.many(MODEMS)
    by = message.get("modem_id")
    return bool(by) and (not modems or any(one["name"] == by and one["type"] == SIMULATED for one in modems))


def sent_by_hand(parts: Parts, given: Mapping[str, Any], wait: float) -> Tried:
    """Send a message, and return its id, or why it was not taken in.

    Args:
        parts: What pages work on.
        given: The arguments of the operation `send`.
        wait: Seconds that it may take until it has ended.
    """
    return _by_hand(parts, "send", given, wait)


def replied_by_hand(parts: Parts, given: Mapping[str, Any], wait: float) -> Tried:
    """Answer a message that came in, as `sent_by_hand`; `given` are the arguments of the operation `inbox_reply`."""
    return _by_hand(parts, "inbox_reply", given, wait)


def _by_hand(parts: Parts, operation: str, given: Mapping[str, Any], wait: float) -> Tried:
    # Browsers send each end of a line as two characters (HTML, multipart form data), one of which nobody has typed.
    typed = {**given, "message": given["message"].replace("\r\n", "\n")}
    outcome = tried(lambda: perform(parts, operation, **typed, wait=wait))
    if outcome.problems:
        return outcome
    if "message_id" not in outcome.result:  # no modem may send it, say
        return Tried(problems={"": outcome.result.get("cause", "")}, status=503)
    return Tried(str(outcome.result["message_id"]))
