"""The conditions that alarms are raised by: of each what is said of it, how it is known, and when it counts.

One more is one more entry of `CONDITIONS`, with its switch in the settings.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from otppi.api.egress import EgressState
from otppi.host.alarms.book import AlarmRule, Facts, Sign
from otppi.host.gateway.hardware import WORN_OUT, CardHealth
from otppi.host.gateway.machine import LITTLE_MEMORY, StorageUse
from otppi.host.meter.limits import DAILY_USED_UP, MONTHLY_USED_UP
from otppi.host.modems.worker import ModemWorker
from otppi.kit.net.failures import LOGIN_WANTED, WRONG_LOGIN
from otppi.kit.net.link import is_link
from otppi.text import Text, _
from otppi.text.states import egress_said

_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_COOLER: Final = 5.0
"""Degrees below the limit at which the processor has cooled down."""
_MEMORY_AGAIN: Final = 10.0
_ROOM_AGAIN: Final = 5.0
"""Percent below the limit at which storage has room again: what is written and removed does not raise it anew."""


class AlarmLevel(StrEnum):
    """How bad it is."""

    WARNING = "warning"
    """Something will stop working, or may be wrong."""
    PROBLEM = "problem"
    """Something does not work."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What conditions look at. Each call is quick and waits for nothing.

    Attributes:
        modems: The modems with their state.
        balance: What is known of a SIM card's balance, by the modem's name; nothing where it is never read.
        ingresses: The ingresses as `Ingresses.describe` gives them.
        storage: The storage; None where it does not tell.
        undervoltage: Whether the device gets too little; None where it does not tell.
        failed_logins: How many failed within the last hour.
        temperature: Of the processor, in degrees Celsius; None where it does not tell.
        memory_left: Percent of the memory that programs may still use; None where it does not tell.
        card: How the storage is; None where it does not tell.
        over_currents: How often a USB port was cut off within the last hour, as too much current was drawn.
        clock_doubtful: Whether nobody has told the device the time; None where that is not known.
        failed_update: The version and the reason of an update that was tried lately, and does not run; None where
            there is none.
    """

    modems: Callable[[], Iterable[ModemWorker]]
    balance: Callable[[str], Mapping[str, Any]]
    ingresses: Callable[[], Iterable[Mapping[str, Any]]]
    storage: Callable[[], StorageUse | None]
    undervoltage: Callable[[], bool | None]
    failed_logins: Callable[[], int]
    temperature: Callable[[], float | None]
    memory_left: Callable[[], float | None]
    card: Callable[[], CardHealth | None]
    over_currents: Callable[[], int]
    clock_doubtful: Callable[[], bool | None]
    failed_update: Callable[[], tuple[str, str] | None]


Values = Mapping[str, Any]
"""The values of section `alarms`, by their keys."""


@dataclass(frozen=True, slots=True)
class AlarmCondition:
    """One condition. Its key is that of the setting that switches it on, too.

    Attributes:
        key: Its name.
        level: How bad it is.
        look: How it is known: yields a `Sign` of each thing that it watches.
        say: What is said of a subject that is bad, by its facts.
        say_end: What is said when it is well again; None where nobody needs to know.
        after: For how many seconds it has to be bad, by the settings.
        well: For how many seconds it has to be well again.
    """

    key: str
    level: AlarmLevel
    look: Callable[[Watched, Values], Iterable[Sign]]
    say: Callable[[str, Facts], Text]
    say_end: Callable[[str, Facts], Text] | None = None
    after: Callable[[Values], float] = lambda _values: 0.0
    well: float = _MINUTE

    def rule(self, values: Values) -> AlarmRule:
        """Return when it counts, by the settings."""
        repeat = values[f"{self.key}_repeat"] * _HOUR
        tells_end = self.say_end is not None and values["tell_ends"]
        return AlarmRule(self.after(values), self.well, repeat, tells_end=tells_end)


class RecentCount:
    """How much a counter that only grows has grown within the last hour, to a minute.

    Args:
        total: Gives the counter.
        clock: Counts seconds, monotonically.
    """

    def __init__(self, total: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque([(clock(), total())])

    def lately(self) -> int:
        """Return by how much."""
        now, total = self._clock(), self._total()
        if now - self._seen[-1][0] >= _MINUTE:
            self._seen.append((now, total))
        while len(self._seen) > 1 and now - self._seen[1][0] >= _HOUR:
            self._seen.popleft()
        return total - self._seen[0][1]


def _working(watched: Watched) -> Iterable[ModemWorker]:
    """Return the modems that nobody has stopped."""
    return (one for one in watched.modems() if not one.held and one.status.state is not EgressState.STOPPED)


def _balances(watched: Watched, _values: Values) -> Iterable[Sign]:
    for worker in _working(watched):
        known = watched.balance(worker.name)
        if not known:
            continue
        amount, limit = known["balance"], known["balance_limit"]
        facts = {} if amount is None else {"amount": amount, "limit": limit}
        yield Sign(worker.name, None if amount is None else bool(known["balance_low"]), facts)


def _modems(watched: Watched, _values: Values) -> Iterable[Sign]:
    for worker in _working(watched):
        state = worker.status.state
        yield Sign(worker.name, state is not EgressState.READY, {"state": state.value})


def _ingresses(watched: Watched, _values: Values) -> Iterable[Sign]:
    for one in watched.ingresses():
        if one["state"] == "stopped":
            continue
        linked = is_link(one)
        lost = linked and not one["connected"]
        works = one["state"] == "running" and not one.get("stalled") and not lost
        why = "login" if lost and _is_login(one["last_problem"]) else "unreachable" if lost else "down"
        yield Sign(one["name"], not works, {"title": one["title"]} | ({} if works else {"why": why}))


def _is_login(told: object) -> bool:
    """Whether a sentence says, or quotes, that a server refuses username or password."""
    if not isinstance(told, Text):
        return False
    if told.template in (WRONG_LOGIN.template, LOGIN_WANTED.template):
        return True
    return any(_is_login(one) for one in told.arguments.values())


_PERIODS: Final[Mapping[str, str]] = MappingProxyType({DAILY_USED_UP: "day", MONTHLY_USED_UP: "month"})


def _quotas(watched: Watched, _values: Values) -> Iterable[Sign]:
    for worker in _working(watched):
        period = _PERIODS.get(worker.account.unusable())
        yield Sign(worker.name, period is not None, {"period": period} if period else {})


def _disk(watched: Watched, values: Values) -> Iterable[Sign]:
    storage, most = watched.storage(), values["disk_percent"]
    if storage is None:
        yield Sign("", None)
        return
    full = storage.used >= most or not storage.writable
    bad = True if full else False if storage.used < most - _ROOM_AGAIN else None
    yield Sign("", bad, {"used": round(storage.used, 1), "writable": float(storage.writable)})


def _voltage(watched: Watched, _values: Values) -> Iterable[Sign]:
    yield Sign("", watched.undervoltage())


def _heat(watched: Watched, values: Values) -> Iterable[Sign]:
    degrees, most = watched.temperature(), values["heat_celsius"]
    if degrees is None:
        yield Sign("", None)
        return
    bad = True if degrees >= most else False if degrees < most - _COOLER else None
    yield Sign("", bad, {"degrees": round(degrees, 1)})


def _memory(watched: Watched, _values: Values) -> Iterable[Sign]:
    left = watched.memory_left()
    if left is None:
        yield Sign("", None)
        return
    bad = True if left < LITTLE_MEMORY else False if left >= _MEMORY_AGAIN else None
    yield Sign("", bad, {"left": round(left, 1)})


def _card(watched: Watched, _values: Values) -> Iterable[Sign]:
    card = watched.card()
    if card is None:
        yield Sign("", None)
        return
    used = card.life_used or 0
    yield Sign("", card.errors > 0 or used >= WORN_OUT, {"errors": float(card.errors), "used": float(used)})


def _usb(watched: Watched, _values: Values) -> Iterable[Sign]:
    count = watched.over_currents()
    yield Sign("", count > 0, {"count": float(count)})


def _clock(watched: Watched, _values: Values) -> Iterable[Sign]:
    yield Sign("", watched.clock_doubtful())


def _logins(watched: Watched, values: Values) -> Iterable[Sign]:
    count, most = watched.failed_logins(), values["logins_an_hour"]
    bad = True if count >= most else False if count < most / 2 else None
    yield Sign("", bad, {"count": count})


def _updates(watched: Watched, _values: Values) -> Iterable[Sign]:
    failed = watched.failed_update()
    yield Sign("", failed is not None, {} if failed is None else {"version": failed[0], "reason": failed[1]})


# -- what is said ------------------------------------------------------------------------------------------------------

STORAGE_FULL: Final = _("The storage of the device is {used:.0f} % full.")
STORAGE_LOCKED: Final = _("The storage of the device cannot be written.")
TOO_HOT: Final = _("The processor is too hot: {degrees:.0f} °C. Give it air.")
MEMORY_SHORT: Final = _("The memory is nearly used up: {left:.0f} % left.")
CARD_ERRORS: Final = _("The SD card has {errors:.0f} errors. Make a backup, and replace it.")
CARD_WORN: Final = _("The SD card is worn out ({used:.0f} %). Make a backup, and replace it.")
USB_OVERLOAD: Final = _("A USB port was cut off: too much current. Use a powered hub.")
CLOCK_UNSET: Final = _("The clock of the device is not set.")
_UPDATE_FAILED: Final = _("The update to OTP-Pi {version} failed: the version before runs.")
LOGINS_FAILED: Final = _("{count:.0f} logins failed within an hour.")
_WHY: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "login": _("{title} refuses username or password."),
        "unreachable": _("{title} cannot be reached."),
        "down": _("{title} does not work."),
    }
)
_USED_UP: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "day": _("Modem {name}: today's quota is used up."),
        "month": _("Modem {name}: this month's quota is used up."),
    }
)


def _say_balance(name: str, facts: Facts) -> Text:
    text = _("Modem {name}: balance Rp {amount:,.0f}, below the limit of Rp {limit:,.0f}.")
    return text.filled(name=name, amount=facts["amount"], limit=facts["limit"])


def _say_disk(_name: str, facts: Facts) -> Text:
    return STORAGE_FULL.filled(used=facts["used"]) if facts["writable"] else STORAGE_LOCKED


def _say_card(_name: str, facts: Facts) -> Text:
    return CARD_ERRORS.filled(errors=facts["errors"]) if facts["errors"] else CARD_WORN.filled(used=facts["used"])


CONDITIONS: Final = (
    AlarmCondition(
        "balance",
        AlarmLevel.WARNING,
        _balances,
        _say_balance,
        lambda name, facts: _("Modem {name}: balance Rp {amount:,.0f} again.", name=name, amount=facts["amount"]),
        well=0.0,
    ),
    AlarmCondition(
        "modem",
        AlarmLevel.PROBLEM,
        _modems,
        lambda name, facts: _(
            "Modem {name} does not send: {state}.", name=name, state=egress_said(str(facts["state"]))
        ),
        lambda name, _facts: _("Modem {name} sends again.", name=name),
        after=lambda values: values["modem_minutes"] * _MINUTE,
    ),
    AlarmCondition(
        "ingress",
        AlarmLevel.PROBLEM,
        _ingresses,
        lambda _name, facts: _WHY[str(facts["why"])].filled(title=facts["title"]),
        lambda _name, facts: _("{title} works again.", title=facts["title"]),
        after=lambda values: values["ingress_minutes"] * _MINUTE,
    ),
    AlarmCondition(
        "quota",
        AlarmLevel.WARNING,
        _quotas,
        lambda name, facts: _USED_UP[str(facts["period"])].filled(name=name),
    ),
    AlarmCondition(
        "disk",
        AlarmLevel.PROBLEM,
        _disk,
        _say_disk,
        lambda _name, facts: _("The storage of the device has room again: {used:.0f} % full.", used=facts["used"]),
        after=lambda _values: 2 * _MINUTE,
        well=5 * _MINUTE,
    ),
    AlarmCondition(
        "voltage",
        AlarmLevel.PROBLEM,
        _voltage,
        lambda _name, _facts: _("The device has undervoltage. Use a 5 V 3 A supply."),
        lambda _name, _facts: _("The device has enough voltage again."),
        well=10 * _MINUTE,
    ),
    AlarmCondition(
        "heat",
        AlarmLevel.WARNING,
        _heat,
        lambda _name, facts: TOO_HOT.filled(degrees=facts["degrees"]),
        lambda _name, facts: _("The processor has cooled down: {degrees:.0f} °C.", degrees=facts["degrees"]),
        after=lambda _values: _MINUTE,
        well=5 * _MINUTE,
    ),
    AlarmCondition(
        "memory",
        AlarmLevel.WARNING,
        _memory,
        lambda _name, facts: MEMORY_SHORT.filled(left=facts["left"]),
        lambda _name, facts: _("There is memory again: {left:.0f} % left.", left=facts["left"]),
        after=lambda _values: 5 * _MINUTE,
        well=5 * _MINUTE,
    ),
    AlarmCondition("card", AlarmLevel.PROBLEM, _card, _say_card, well=5 * _MINUTE),
    AlarmCondition(
        "usb",
        AlarmLevel.PROBLEM,
        _usb,
        lambda _name, _facts: USB_OVERLOAD,
        well=5 * _MINUTE,
    ),
    AlarmCondition(
        "clock",
        AlarmLevel.WARNING,
        _clock,
        lambda _name, _facts: CLOCK_UNSET,
        lambda _name, _facts: _("The clock of the device is set again."),
        after=lambda _values: 15 * _MINUTE,
    ),
    AlarmCondition(
        "logins",
        AlarmLevel.WARNING,
        _logins,
        lambda _name, facts: LOGINS_FAILED.filled(count=facts["count"]),
        well=5 * _MINUTE,
    ),
    AlarmCondition(
        "update",
        AlarmLevel.PROBLEM,
        _updates,
        lambda _name, facts: _UPDATE_FAILED.filled(version=facts["version"]),
    ),
)
BY_KEY: Final[Mapping[str, AlarmCondition]] = MappingProxyType({one.key: one for one in CONDITIONS})


def said_of(condition: str, subject: str, facts: Facts, *, ended: bool = False) -> Text:
    """Return what is said of an alarm; of its end, where that has no words of its own, that it is over.

    Raises:
        LookupError: There is no such condition, or a fact is missing: it was kept by another version.
    """
    known = BY_KEY[condition]
    if not ended:
        return known.say(subject, facts)
    if known.say_end is not None:
        return known.say_end(subject, facts)
    return _("No longer: {what}", what=known.say(subject, facts))
