"""When alarms are raised, told, told again and ended, by a clock that the test turns."""

import json
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from otppi.host.alarms.book import (
    COMES_BACK,
    RETRY,
    AlarmBook,
    AlarmChange,
    AlarmLimits,
    AlarmNotice,
    AlarmRule,
    Sign,
)

RULE = AlarmRule(after=600.0, well=60.0, repeat=86_400.0, tells_end=True)
AT_ONCE = AlarmRule(after=0.0, well=0.0, repeat=86_400.0, tells_end=True)
LIMITS = AlarmLimits(6, 20)
DAY = 86_400.0
RAISED, REPEATED, ENDED = AlarmChange


@dataclass
class Diary:
    """A book that is looked into at a steady pace, and everything that it had told."""

    book: AlarmBook = field(default_factory=AlarmBook)
    now: float = 1_000.0
    limits: AlarmLimits = LIMITS
    rule: AlarmRule = RULE
    told: list[AlarmNotice] = field(default_factory=list)

    def look(self, *signs: Sign) -> AlarmNotice | None:
        self.book.see(self.now, "modem", self.rule, signs)
        notice = self.book.due(self.now, self.limits)
        if notice is not None:
            self.book.tell(self.now, notice)
            self.told.append(notice)
        return notice

    def watch(self, seconds: float, *signs: Sign, step: float = 15.0) -> list[AlarmNotice]:
        """Look for some time at what does not change; return what was told meanwhile."""
        before, end = len(self.told), self.now + seconds
        while self.now < end:
            self.now += step
            self.look(*signs)
        return self.told[before:]

    def restarted(self, wall: float, later: float) -> "Diary":
        """Return what the next run of the gateway makes of what this one kept."""
        kept = json.loads(json.dumps(self.book.as_kept(self.now, wall)))
        book = AlarmBook()
        book.restore(kept, 5.0, later)
        return Diary(book, 5.0, self.limits, self.rule)


def bad(name: str = "m0") -> Sign:
    return Sign(name, True, {"state": "absent"})


def well(name: str = "m0") -> Sign:
    return Sign(name, False, {"state": "ready"})


def changes(notices: list[AlarmNotice]) -> list[AlarmChange]:
    return [line.change for notice in notices for line in notice.lines]


def test_what_is_bad_for_long_enough_is_told_once_and_its_end_too() -> None:
    diary = Diary()
    began = diary.now + 15
    assert diary.watch(600, bad()) == []
    (notice,) = diary.watch(60, bad())
    assert [(line.change, line.subject, line.since) for line in notice.lines] == [(RAISED, "m0", began)]
    assert diary.watch(DAY / 2, bad()) == []
    assert [line.told is not None for line in diary.book.raised()] == [True]
    assert changes(diary.watch(120, well())) == [ENDED]
    assert diary.book.raised() == []
    assert [one.line.change for one in diary.book.history()] == [RAISED, ENDED]


def test_what_is_bad_for_a_moment_is_not_told() -> None:
    diary = Diary()
    for _ in range(20):
        diary.watch(300, bad())
        diary.watch(120, well())
    assert (diary.told, diary.book.history()) == ([], [])


def test_one_that_is_hardly_ever_well_is_told() -> None:
    diary = Diary()
    for _ in range(12):
        diary.watch(45, bad())
        diary.watch(15, well())
    assert changes(diary.told) == [RAISED]


def test_an_alarm_whose_end_flaps_stays_raised() -> None:
    diary = Diary()
    diary.watch(700, bad())
    for _ in range(50):
        diary.watch(45, well())
        diary.watch(15, bad())
    assert changes(diary.told) == [RAISED]
    assert len(diary.book.raised()) == 1


def test_what_nobody_knows_changes_nothing() -> None:
    diary = Diary()
    diary.watch(700, bad())
    assert diary.watch(3_600, Sign("m0", None)) == []
    assert len(diary.book.raised()) == 1
    assert Diary().look(Sign("m0", None)) is None


def test_an_alarm_that_lasts_is_told_again_each_day() -> None:
    diary = Diary()
    diary.watch(700, bad())
    assert changes(diary.watch(3 * DAY, bad(), step=300.0)) == [REPEATED] * 3


def test_one_that_is_not_to_be_repeated_is_told_once() -> None:
    diary = Diary(rule=AlarmRule(0.0, 0.0, 0.0, tells_end=True))
    assert changes(diary.watch(10 * DAY, bad(), step=3_600.0)) == [RAISED]


def test_an_end_that_nobody_wants_to_know_is_not_told() -> None:
    diary = Diary(rule=AlarmRule(0.0, 0.0, DAY, tells_end=False))
    assert changes([*diary.watch(60, bad()), *diary.watch(3_600, well())]) == [RAISED]


def test_alarms_at_the_same_time_are_one_notice() -> None:
    diary = Diary()
    (notice,) = diary.watch(700, *(bad(f"m{number}") for number in range(16)))
    assert len(notice.lines) == 16
    assert len(diary.told) == 1


def test_a_thousand_flaps_send_a_bounded_number() -> None:
    """Each is a real alarm, raised at once and well again at once: no delay helps here, only the limits do."""
    diary = Diary(rule=AT_ONCE)
    hours = 0.0
    for _ in range(1_000):
        diary.watch(15, bad())
        diary.watch(15, well())
        hours += 30 / 3_600
    assert len(diary.book.history()) == 100
    assert len(diary.told) <= 2 * hours + 2
    assert len(diary.told) <= LIMITS.a_day
    counted = sum(notice.held_back for notice in diary.told) + diary.book.held_back
    assert counted == 1_000 - changes(diary.told).count(RAISED)


@pytest.mark.parametrize("limits", [AlarmLimits(1, 1), AlarmLimits(6, 20), AlarmLimits(60, 500)])
def test_a_flood_of_different_alarms_is_bounded_too(limits: AlarmLimits) -> None:
    diary = Diary(rule=AT_ONCE, limits=limits)
    began = diary.now
    for number in range(1_000):
        diary.watch(15, bad(f"m{number}"))
        diary.watch(15, well(f"m{number}"))
    days = (diary.now - began) / DAY
    assert len(diary.told) <= limits.a_day * (days + 1)
    assert len(diary.told) <= limits.an_hour * (24 * days + 1)


def test_what_was_held_back_is_told_with_the_next_one() -> None:
    diary = Diary(rule=AT_ONCE, limits=AlarmLimits(1, 20))
    assert changes(diary.watch(15, bad("m0"))) == [RAISED]
    for name in ("m1", "m2", "m3"):
        diary.watch(15, bad("m0"), bad(name))
    assert len(diary.told) == 1
    (notice,) = diary.watch(3_600, bad("m0"), bad("m4"))
    assert [(line.change, line.subject) for line in notice.lines] == [(RAISED, "m4")]
    diary.now += COMES_BACK
    diary.look(bad("m0"), well("m4"))
    assert diary.book.held_back == 0


def test_alarms_that_came_and_went_unseen_are_counted() -> None:
    diary = Diary(rule=AT_ONCE, limits=AlarmLimits(1, 20))
    diary.watch(15, bad("m0"))
    for _ in range(3):
        diary.watch(15, bad("m0"), bad("m1"))
        diary.watch(15, bad("m0"), well("m1"))
    assert diary.book.held_back == 3
    (notice,) = diary.watch(3_600, bad("m0"), bad("m2"), well("m1"))
    assert notice.held_back == 3
    assert diary.book.held_back == 0


def test_what_reached_nobody_is_told_again_a_little_later() -> None:
    diary = Diary()
    diary.watch(700, bad())
    diary.book.take_back(diary.now, diary.told[0])
    assert diary.book.raised()[0].told is None
    assert diary.watch(RETRY - 30, bad()) == []
    assert changes(diary.watch(60, bad())) == [RAISED]


def test_the_end_of_what_could_not_be_told_is_told() -> None:
    """As where the only modem was lost: its own SMS can be sent only when it is back."""
    diary = Diary()
    diary.watch(700, bad())
    diary.book.take_back(diary.now, diary.told[0])
    diary.watch(RETRY - 60, bad())
    assert changes(diary.watch(240, well())) == [ENDED]
    assert diary.book.held_back == 0


def test_a_way_that_never_works_is_not_tried_without_end() -> None:
    diary = Diary()
    for _ in range(500):
        for notice in diary.watch(60, bad()):
            diary.book.take_back(diary.now, notice)
    hours = 500 * 60 / 3_600
    assert 1 < len(diary.told) <= LIMITS.an_hour * (hours + 1)


def test_an_end_that_reached_nobody_is_told_again() -> None:
    """What becomes of an SMS is known only after many a look at an alarm that is over."""
    diary = Diary()
    diary.watch(700, bad())
    diary.book.confirm(diary.told[0])
    diary.watch(2 * COMES_BACK, bad())
    for minutes in (2, 4, 8):
        assert changes(diary.watch(minutes * 60 + 30, well())) == [ENDED]
        diary.watch(60, well())
        diary.book.take_back(diary.now, diary.told[-1])
    assert changes(diary.watch(17 * 60, well())) == [ENDED]
    diary.book.confirm(diary.told[-1])
    assert diary.watch(DAY, well()) == []
    assert diary.book.as_kept(diary.now, 0.0)["alarms"] == []


def test_an_end_of_what_could_not_be_told_is_told_again_too() -> None:
    diary = Diary()
    in_vain(diary, 300, bad())
    assert changes(diary.watch(90, well())) == [ENDED]
    diary.watch(60, well())
    diary.book.take_back(diary.now, diary.told[-1])
    assert changes(diary.watch(180, well())) == [ENDED]


def test_an_alarm_that_ends_while_its_notice_is_under_way_in_vain_has_its_end_told() -> None:
    diary = Diary(rule=AT_ONCE, limits=AlarmLimits(1, 20))
    (notice,) = diary.watch(15, bad())
    diary.watch(15, well())
    diary.book.take_back(diary.now, notice)
    assert changes(diary.watch(300, well())) == [ENDED]
    diary.book.confirm(diary.told[-1])
    assert diary.watch(DAY, well()) == []


def test_an_end_that_was_told_is_not_told_twice_because_of_what_was_before_it() -> None:
    diary = Diary()
    (notice,) = diary.watch(700, bad())
    assert changes(diary.watch(120, well())) == [ENDED]
    diary.book.confirm(diary.told[-1])
    diary.book.take_back(diary.now, notice)
    assert diary.watch(DAY, well()) == []


def in_vain(diary: Diary, minutes: int, *signs: Sign) -> None:
    """Watch for some time in which whatever is told reaches nobody."""
    for _ in range(minutes):
        for notice in diary.watch(60, *signs):
            diary.book.take_back(diary.now, notice)


def test_what_is_told_in_vain_is_tried_less_and_less_often() -> None:
    diary = Diary()
    tried = []
    for minute in range(600):
        for notice in diary.watch(60, bad()):
            diary.book.take_back(diary.now, notice)
            tried.append(minute)
    waits = [after - before for before, after in pairwise(tried)]
    assert waits == sorted(waits)
    assert waits[0] <= 3
    assert waits[-1] == pytest.approx(60, abs=2)


@pytest.mark.parametrize("limits", [LIMITS, AlarmLimits(1, 1)])
def test_the_end_of_what_could_not_be_told_for_days_is_told_at_once(limits: AlarmLimits) -> None:
    """What reached nobody has used up neither the day's notices nor, for the end, the hour's."""
    diary = Diary(limits=limits)
    in_vain(diary, 3 * 24 * 60, bad())
    assert changes(diary.watch(90, well())) == [ENDED]
    diary.book.confirm(diary.told[-1])
    in_vain(diary, 120, well())
    assert len(diary.watch(DAY, bad("m1"), well())) == 1


def test_what_is_told_in_vain_takes_no_place_of_another_alarm_for_a_day() -> None:
    diary = Diary()
    in_vain(diary, 24 * 60, bad())
    notices = diary.watch(2 * 3_600, bad(), bad("m1"))
    assert (RAISED, "m1") in [(line.change, line.subject) for notice in notices for line in notice.lines]


def test_a_way_that_never_works_is_not_tried_without_end_for_what_flaps() -> None:
    """Each end is tried at once, and the next alarm, too."""
    diary = Diary(rule=AT_ONCE)
    for _ in range(1_000):
        for sign in (bad(), well()):
            for notice in diary.watch(15, sign):
                diary.book.take_back(diary.now, notice)
    hours = 1_000 * 30 / 3_600
    assert 1 < len(diary.told) <= 2 * LIMITS.an_hour * (hours + 1)


def test_where_nobody_is_told_nothing_waits_to_be() -> None:
    book, now = AlarmBook(), 0.0
    book.see(now, "modem", AT_ONCE, [bad()], telling=False)
    book.see(now + 15, "modem", AT_ONCE, [well()], telling=False)
    book.tell_nobody()
    assert (book.held_back, book.due(now + 30, LIMITS)) == (0, None)


def test_what_is_not_there_any_more_is_forgotten() -> None:
    diary = Diary()
    diary.watch(700, bad("m0"), bad("m1"))
    assert diary.watch(60, bad("m1")) == []
    assert [line.subject for line in diary.book.raised()] == ["m1"]
    diary.book.watch_only(diary.now, ["disk"])
    assert diary.book.raised() == []


# -- what is kept ------------------------------------------------------------------------------------------------------


def test_a_restart_tells_nothing_once_more() -> None:
    diary = Diary()
    diary.watch(700, bad())
    again = diary.restarted(1_800_000_000.0, 1_800_000_020.0)
    assert again.watch(3_600, bad()) == []
    assert [line.subject for line in again.book.raised()] == ["m0"]
    assert changes(again.watch(120, well())) == [ENDED]
    assert [one.line.change for one in again.book.history()] == [RAISED, ENDED]


def test_what_lasts_is_told_again_a_day_after_it_was_whenever_the_gateway_started() -> None:
    diary = Diary()
    diary.watch(700, bad())
    again = diary.restarted(1_800_000_000.0, 1_800_000_000.0 + DAY - 3_600)
    assert again.watch(3_000, bad()) == []
    assert changes(again.watch(900, bad())) == [REPEATED]


def test_a_clock_that_was_put_back_tells_nothing_early() -> None:
    diary = Diary()
    diary.watch(700, bad())
    again = diary.restarted(1_800_000_000.0, 1_600_000_000.0)
    assert again.watch(DAY - 600, bad(), step=300.0) == []
    assert changes(again.watch(1_200, bad(), step=300.0)) == [REPEATED]


def test_the_limits_hold_over_a_restart() -> None:
    diary = Diary(rule=AT_ONCE, limits=AlarmLimits(2, 20))
    diary.watch(15, bad("m0"))
    diary.watch(15, bad("m0"), bad("m1"))
    again = diary.restarted(1_800_000_000.0, 1_800_000_060.0)
    assert again.watch(600, bad("m0"), bad("m1"), bad("m2")) == []
    (notice,) = again.watch(3_600, bad("m0"), bad("m1"), bad("m2"))
    assert [line.subject for line in notice.lines] == ["m2"]


def test_an_end_that_came_while_the_gateway_was_off_is_told() -> None:
    diary = Diary()
    diary.watch(700, bad())
    again = diary.restarted(1_800_000_000.0, 1_800_000_600.0)
    assert changes(again.watch(120, well())) == [ENDED]


@pytest.mark.parametrize(
    "damage",
    [{}, {"version": 2}, {"version": 1}, {"version": 1, "held_back": 0, "told": ["x"], "alarms": [], "history": []}],
)
def test_damage_is_told(damage: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError, LookupError)):
        AlarmBook().restore(damage, 0.0, 0.0)
