"""What an alarm notice says: in one SMS, in an e-mail, and to a program. No word of it is secret."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from otppi.host.alarms.book import AlarmChange, AlarmLine, AlarmNotice
from otppi.host.alarms.conditions import BY_KEY, AlarmLevel, said_of
from otppi.text import Text, _, joined
from otppi.text.languages import translated
from otppi.wire import gsm7
from otppi.wire.user_data import MOST_SEPTETS

INDONESIAN: Final = "id"
"""The language of an administrator who has chosen none."""
TEST: Final = _("This is a test: alarms of this device come this way.")
_LONGEST_NAME: Final = 20
_MOST_LINES: Final = 10
"""More have no room in an SMS, however short they are."""
_ORDER: Final = (AlarmChange.RAISED, AlarmChange.REPEATED, AlarmChange.ENDED)


def told_of(line: AlarmLine) -> Text:
    """Return what is told of an alarm."""
    text = said_of(line.condition, line.subject, line.facts, ended=line.change is AlarmChange.ENDED)
    return _("Still: {what}", what=text) if line.change is AlarmChange.REPEATED else text


def ordered(notice: AlarmNotice) -> list[AlarmLine]:
    """Return what a notice tells, the worst first."""
    return sorted(
        notice.lines,
        key=lambda line: (_ORDER.index(line.change), BY_KEY[line.condition].level is not AlarmLevel.PROBLEM),
    )


def _held_back(notice: AlarmNotice) -> list[Text]:
    if not notice.held_back:
        return []
    return [_.plural("{count} more alarm came and went.", "{count} more alarms came and went.", count=notice.held_back)]


def as_sms(notice: AlarmNotice, device: str, language: str) -> str:
    """Write a notice as one SMS of one segment: what has no room is counted."""
    lines = [told_of(line) for line in ordered(notice)]
    behind = _held_back(notice)

    def written(count: int) -> str:
        left = len(lines) - count
        more = [_("and {more} more", more=left)] if left else []
        return _one_alphabet(_head(device) + _said([*lines[:count], *more, *behind], language))

    fitting = (
        text for count in range(min(len(lines), _MOST_LINES), 0, -1) if _septets(text := written(count)) <= MOST_SEPTETS
    )
    return next(fitting, None) or _cut(written(1))


def sms_of(text: Text, device: str, language: str) -> str:
    """Write a sentence as one SMS of one segment."""
    return _cut(_one_alphabet(_head(device) + _said([text], language)))


def as_mail(notice: AlarmNotice, device: str, language: str, when: Callable[[float], float]) -> tuple[str, str]:
    """Write a notice as an e-mail: its subject and its text.

    Args:
        notice: What is told.
        device: What the device is called.
        language: Of the reader.
        when: Turns a time of the notice into Unix seconds.
    """
    rows = [(line, time.strftime("%Y-%m-%d %H:%M", time.localtime(when(line.since)))) for line in ordered(notice)]
    told = [_("{what} (since {since})", what=told_of(line), since=since) for line, since in rows]
    return mail_of([*told, *_held_back(notice)], device, language)


def mail_of(told: Sequence[Text], device: str, language: str) -> tuple[str, str]:
    """Write the subject and the text of an e-mail of some sentences."""
    subject = _("OTP-Pi {device}: alarms", device=device)
    return str(translated(subject, language)), "\n".join(str(translated(one, language)) for one in told) + "\n"


def as_event(notice: AlarmNotice, device: str, when: Callable[[float], float]) -> dict[str, Any]:
    """Return the data of a webhook's event: programs tell conditions apart by their keys, people read the sentence."""
    return {
        "device": device,
        "alarms": [
            {
                "change": line.change.value,
                "condition": line.condition,
                "subject": line.subject,
                "level": BY_KEY[line.condition].level.value,
                "text": str(told_of(line)),
                "since": round(when(line.since)),
            }
            for line in ordered(notice)
        ],
        "held_back": notice.held_back,
    }


def event_of_announcement(text: Text, device: str) -> dict[str, Any]:
    """Return the data of a webhook's event that tells a sentence once."""
    told = {"change": "announced", "condition": "", "subject": "", "level": "warning", "text": str(text), "since": None}
    return {"device": device, "alarms": [told], "held_back": 0}


def event_of_test(device: str) -> dict[str, Any]:
    """Return the data of a test's event."""
    alarm = {"change": "test", "condition": "", "subject": "", "level": "", "text": str(TEST), "since": None}
    return {"device": device, "alarms": [alarm], "held_back": 0}


def _head(device: str) -> str:
    return f"OTP-Pi {device[:_LONGEST_NAME]}: "


def _said(told: Sequence[str], language: str) -> str:
    return str(translated(joined(" ", told), language))


def _one_alphabet(text: str) -> str:
    """Write it in the GSM 7 bit default alphabet (3GPP TS 23.038 6.2.1), of which 160 characters fit into a segment."""
    return "".join(one if gsm7.can_encode(one) else "?" for one in text)


def _septets(text: str) -> int:
    return len(gsm7.encode(text))


def _cut(text: str) -> str:
    while _septets(text) > MOST_SEPTETS:
        text = text[:-1]
    return text
