"""What alarms are known by, and what is said of them, in one segment of SMS and in both languages."""

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from otppi.api.egress import EgressState
from otppi.host.alarms.book import AlarmChange, AlarmLine, AlarmNotice
from otppi.host.alarms.conditions import CONDITIONS, RecentCount, Watched, said_of
from otppi.host.alarms.settings import ALARMS
from otppi.host.alarms.wording import TEST, as_event, as_mail, as_sms, sms_of
from otppi.host.gateway.hardware import CardHealth
from otppi.host.gateway.machine import StorageUse
from otppi.host.meter.limits import DAILY_USED_UP, MONTHLY_USED_UP
from otppi.host.modems.worker import ModemWorker
from otppi.kit.net.failures import WRONG_LOGIN
from otppi.text import _
from otppi.wire import gsm7
from otppi.wire.segment import segment

VALUES: Mapping[str, Any] = ALARMS.defaults()
LINK = {"server": "b:1", "detail": "", "since": 0, "attempts": 1}


def worker(state: EgressState = EgressState.READY, *, held: bool = False, unusable: str = "") -> ModemWorker:
    known = SimpleNamespace(
        name="m0", held=held, status=SimpleNamespace(state=state), account=SimpleNamespace(unusable=lambda: unusable)
    )
    return cast("ModemWorker", known)


WELL = Watched(
    modems=lambda: [worker()],
    balance=lambda _name: {"balance": 20_000.0, "balance_limit": 10_000.0, "balance_low": False},
    ingresses=lambda: [{"name": "ingress-x", "title": "X", "state": "running", "last_error": None}],
    storage=lambda: StorageUse(20.0, writable=True),
    undervoltage=lambda: False,
    failed_logins=lambda: 0,
    temperature=lambda: 50.0,
    memory_left=lambda: 60.0,
    card=lambda: CardHealth(0),
    over_currents=lambda: 0,
    clock_doubtful=lambda: False,
    failed_update=lambda: None,
)


def broker(*, connected: bool = False, problem: str | None = None, **more: Any) -> dict[str, Any]:
    described = {"name": "ingress-x", "title": "X", "state": "running", "last_error": None, **LINK}
    return described | {"connected": connected, "last_problem": problem} | more


def signs(watched: Watched) -> dict[str, list[bool | None]]:
    return {one.key: [sign.bad for sign in one.look(watched, VALUES)] for one in CONDITIONS}


def test_all_is_well() -> None:
    assert {tuple(one) for one in signs(WELL).values()} == {(False,)}


@pytest.mark.parametrize(
    ("key", "changes", "bad"),
    [
        ("modem", {"modems": lambda: [worker(EgressState.ABSENT)]}, [True]),
        ("modem", {"modems": lambda: [worker(EgressState.BLOCKED)]}, [True]),
        ("modem", {"modems": lambda: [worker(EgressState.RECOVERING)]}, [True]),
        ("modem", {"modems": lambda: [worker(EgressState.STOPPED)]}, []),
        ("modem", {"modems": lambda: [worker(EgressState.ABSENT, held=True)]}, []),
        ("balance", {"balance": lambda _name: {}}, []),
        ("balance", {"balance": lambda _name: {"balance": None, "balance_limit": 9.0, "balance_low": False}}, [None]),
        ("balance", {"balance": lambda _name: {"balance": 8.0, "balance_limit": 9.0, "balance_low": True}}, [True]),
        ("quota", {"modems": lambda: [worker(unusable=DAILY_USED_UP)]}, [True]),
        ("quota", {"modems": lambda: [worker(unusable=MONTHLY_USED_UP)]}, [True]),
        ("quota", {"modems": lambda: [worker(unusable=_("quiet hours"))]}, [False]),
        ("ingress", {"ingresses": lambda: [broker(problem=WRONG_LOGIN)]}, [True]),
        ("ingress", {"ingresses": lambda: [broker(connected=True)]}, [False]),
        ("ingress", {"ingresses": lambda: [broker(connected=True, stalled="it hangs")]}, [True]),
        ("ingress", {"ingresses": lambda: [broker(state="stopped")]}, []),
        ("ingress", {"ingresses": lambda: [broker(state="blocked until its settings are changed")]}, [True]),
        ("disk", {"storage": lambda: StorageUse(90.0, writable=True)}, [True]),
        ("disk", {"storage": lambda: StorageUse(86.0, writable=True)}, [None]),
        ("disk", {"storage": lambda: StorageUse(20.0, writable=False)}, [True]),
        ("disk", {"storage": lambda: None}, [None]),
        ("voltage", {"undervoltage": lambda: True}, [True]),
        ("voltage", {"undervoltage": lambda: None}, [None]),
        ("heat", {"temperature": lambda: 80.0}, [True]),
        ("heat", {"temperature": lambda: 77.0}, [None]),
        ("heat", {"temperature": lambda: None}, [None]),
        ("memory", {"memory_left": lambda: 4.9}, [True]),
        ("memory", {"memory_left": lambda: 7.0}, [None]),
        ("memory", {"memory_left": lambda: None}, [None]),
        ("card", {"card": lambda: CardHealth(1)}, [True]),
        ("card", {"card": lambda: CardHealth(0, 90)}, [True]),
        ("card", {"card": lambda: CardHealth(0, 80)}, [False]),
        ("card", {"card": lambda: None}, [None]),
        ("usb", {"over_currents": lambda: 1}, [True]),
        ("clock", {"clock_doubtful": lambda: True}, [True]),
        ("clock", {"clock_doubtful": lambda: None}, [None]),
        ("update", {"failed_update": lambda: ("0.2.0", "not_ready")}, [True]),
        ("logins", {"failed_logins": lambda: 50}, [True]),
        ("logins", {"failed_logins": lambda: 30}, [None]),
    ],
)
def test_what_is_not(key: str, changes: dict[str, Any], bad: list[bool | None]) -> None:
    assert signs(replace(WELL, **changes))[key] == bad


def told(changes: dict[str, Any]) -> list[str]:
    watched = replace(WELL, **changes)
    found = [(one.key, sign) for one in CONDITIONS for sign in one.look(watched, VALUES) if sign.bad]
    return [said_of(key, sign.subject, sign.facts) for key, sign in found]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"modems": lambda: [worker(EgressState.ABSENT)]}, "Modem m0 does not send: absent."),
        ({"modems": lambda: [worker(unusable=MONTHLY_USED_UP)]}, "Modem m0: this month's quota is used up."),
        ({"ingresses": lambda: [broker(problem=WRONG_LOGIN)]}, "X refuses username or password."),
        ({"ingresses": lambda: [broker(problem=_("{a} quotes it", a=WRONG_LOGIN))]}, "X refuses username or password."),
        ({"ingresses": lambda: [broker(problem="nobody listens")]}, "X cannot be reached."),
        ({"ingresses": lambda: [broker(connected=True, stalled="it hangs")]}, "X does not work."),
        (
            {"balance": lambda _name: {"balance": 4_500.0, "balance_limit": 10_000.0, "balance_low": True}},
            "Modem m0: balance Rp 4,500, below the limit of Rp 10,000.",
        ),
        ({"storage": lambda: StorageUse(91.4, writable=True)}, "The storage of the device is 91 % full."),
        ({"storage": lambda: StorageUse(20.0, writable=False)}, "The storage of the device cannot be written."),
        (
            {"failed_update": lambda: ("0.2.0", "not_ready")},
            "The update to OTP-Pi 0.2.0 failed: the version before runs.",
        ),
        ({"failed_logins": lambda: 73}, "73 logins failed within an hour."),
        ({"temperature": lambda: 83.2}, "The processor is too hot: 83 °C. Give it air."),
        ({"memory_left": lambda: 3.0}, "The memory is nearly used up: 3 % left."),
        ({"card": lambda: CardHealth(4)}, "The SD card has 4 errors. Make a backup, and replace it."),
        ({"card": lambda: CardHealth(0, 90)}, "The SD card is worn out (90 %). Make a backup, and replace it."),
        ({"over_currents": lambda: 2}, "A USB port was cut off: too much current. Use a powered hub."),
        ({"clock_doubtful": lambda: True}, "The clock of the device is not set."),
        ({"undervoltage": lambda: True}, "The device has undervoltage. Use a 5 V 3 A supply."),
    ],
)
def test_what_is_said(changes: dict[str, Any], said: str) -> None:
    assert told(changes) == [said]


def test_the_end_of_each_is_said() -> None:
    facts: dict[str, str | float] = {
        "amount": 1.0,
        "limit": 2.0,
        "title": "X",
        "why": "down",
        "period": "day",
        "used": 9.0,
        "writable": 1.0,
    }
    facts |= {"degrees": 60.0, "left": 40.0, "errors": 1.0}
    facts |= {"count": 3.0, "state": "absent", "version": "0.2.0"}
    ends = [said_of(one.key, "m0", facts, ended=True) for one in CONDITIONS]
    assert len({str(one) for one in ends}) == len(CONDITIONS)


def test_only_the_last_hour_counts() -> None:
    now, total = 0.0, 100
    count = RecentCount(lambda: total, lambda: now)
    assert count.lately() == 0
    total = 160
    assert count.lately() == 60
    for _minute in range(59):
        now += 60
        assert count.lately() == 60
    now += 120
    assert count.lately() == 0


# -- the notice --------------------------------------------------------------------------------------------------------


def notice(count: int, *, held_back: int = 0, name: str = "m{}") -> AlarmNotice:
    facts = {"state": "absent"}
    lines = [AlarmLine(AlarmChange.RAISED, "modem", name.format(number), facts, 0.0) for number in range(count)]
    return AlarmNotice(tuple(lines), held_back)


def test_one_alarm_in_an_sms() -> None:
    assert as_sms(notice(1), "kantor", "en") == "OTP-Pi kantor: Modem m0 does not send: absent."
    assert as_sms(notice(1), "kantor", "id") == "OTP-Pi kantor: Modem m0 tidak mengirim: tidak terpasang."


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("count", [1, 3, 16, 200])
@pytest.mark.parametrize(
    "name", ["m{}", "日本のモデム {}", "{} " + "a name that is longer than any that a person would type " * 5]
)
def test_an_sms_is_one_segment(language: str, count: int, name: str) -> None:
    text = as_sms(notice(count, held_back=7, name=name), "a-device-with-a-name-of-sixty-four-letters-" * 2, language)
    assert len(segment(text)) == 1
    assert gsm7.can_encode(text)


def test_what_has_no_room_is_counted() -> None:
    text = as_sms(notice(16, held_back=2), "kantor", "en")
    shown = text.count("does not send")
    assert f"and {16 - shown} more" in text
    assert text.endswith("2 more alarms came and went.")
    assert shown >= 2


def test_the_test_is_one_segment_too() -> None:
    for language in ("en", "id"):
        assert len(segment(sms_of(TEST, "x" * 64, language))) == 1


def test_an_email_has_all_of_it() -> None:
    subject, text = as_mail(notice(16, held_back=2), "kantor", "en", lambda at: at + 1_800_000_000)
    assert subject == "OTP-Pi kantor: alarms"
    assert text.count("does not send: absent. (since 2027-01-1") == 16
    assert text.endswith("2 more alarms came and went.\n")


def test_an_event_is_for_programs() -> None:
    line = AlarmLine(AlarmChange.REPEATED, "modem", "m0", {"state": "absent"}, 10.0)
    assert as_event(AlarmNotice((line,), 3), "kantor", lambda at: at + 100) == {
        "device": "kantor",
        "alarms": [
            {
                "change": "repeated",
                "condition": "modem",
                "subject": "m0",
                "level": "problem",
                "text": "Still: Modem m0 does not send: absent.",
                "since": 110,
            }
        ],
        "held_back": 3,
    }
