"""The ladder: which step is due when, its order and its bounds, whatever happens."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.api.errors import Trouble
from otppi.api.modem import RecoveryStep
from otppi.host.modems.ladder import STEPS, Ladder, Openings, RecoverySchedule, StepLimits

REINITIALISE, RADIO, RESET, POWER = RecoveryStep
ORDER = (RADIO, RESET, POWER)
HOUR, DAY = 3600.0, 86_400.0
CURABLE = (Trouble.SILENT, Trouble.FAULTY, Trouble.NO_NETWORK)


class Play:
    """A modem that is lost again at each opening, and a clock that jumps from one opening to the next."""

    def __init__(self, schedule: RecoverySchedule | None = None) -> None:
        self.ladder = Ladder(schedule or RecoverySchedule())
        self.now = 1000.0
        self.taken: list[tuple[RecoveryStep, float]] = []

    def lose(self, trouble: Trouble, *, lacking: Sequence[RecoveryStep] = (), done: bool = True) -> RecoveryStep | None:
        step = self.ladder.lost(trouble, self.now)
        while step in lacking:
            assert step is not None
            step = self.ladder.lacks(step, trouble, self.now)
        if step not in (None, REINITIALISE):
            assert step is not None
            self.ladder.took(step, self.now, done=done)
            self.taken.append((step, self.now))
        return step

    def go_on(self, trouble: Trouble, seconds: float, every: float = 5.0, **options: object) -> list[RecoveryStep]:
        """Lose it every few seconds for some time; give the steps above the re-initialisation."""
        before, until = len(self.taken), self.now + seconds
        while self.now < until:
            self.lose(trouble, **options)  # type: ignore[arg-type]
            self.now += every
        return [step for step, _ in self.taken[before:]]


@pytest.mark.parametrize("trouble", CURABLE)
def test_the_steps_come_in_order_and_then_from_the_bottom_again(trouble: Trouble) -> None:
    steps = STEPS[trouble]
    taken = Play().go_on(trouble, DAY)
    assert taken[: 2 * len(steps)] == [*steps, *steps]


def test_nothing_but_opening_it_cures_a_port_that_is_not_there() -> None:
    play = Play()
    assert play.go_on(Trouble.ABSENT, DAY) == []
    assert play.ladder.planned is None
    assert play.lose(Trouble.ABSENT) is None


@pytest.mark.parametrize("trouble", CURABLE)
def test_it_is_opened_some_times_and_for_some_time_before_the_first_step(trouble: Trouble) -> None:
    opened = RecoverySchedule().openings[trouble]
    play = Play()
    assert [play.lose(trouble) for _ in range(opened.count * 5)] == [REINITIALISE] * opened.count * 5
    play = Play()
    assert play.lose(trouble) is REINITIALISE
    play.now += 10 * opened.seconds
    assert [play.lose(trouble) for _ in range(opened.count - 1)] == [REINITIALISE] * (opened.count - 1)
    assert play.lose(trouble) is STEPS[trouble][0]


def test_after_a_step_the_modem_gets_time_to_come_back() -> None:
    play = Play()
    play.go_on(Trouble.NO_NETWORK, HOUR)
    limits = RecoverySchedule()
    for (step, at), (_, then) in pairwise(play.taken):
        assert then - at >= limits.limits(step).patience


def test_a_step_that_nobody_listened_to_is_not_waited_for() -> None:
    play = Play()
    play.go_on(Trouble.SILENT, 60.0, done=False)
    assert [step for step, _ in play.taken] == [RESET, POWER]
    assert play.taken[1][1] - play.taken[0][1] == 5.0


def test_steps_that_the_modem_lacks_are_left_out_until_it_is_healthy() -> None:
    play = Play()
    assert play.go_on(Trouble.NO_NETWORK, HOUR, lacking=[RADIO, POWER])[:2] == [RESET, RESET]
    assert set(play.go_on(Trouble.NO_NETWORK, DAY)) == {RESET}
    play.ladder.ready(play.now)
    play.now += RecoverySchedule().healthy_after
    assert play.go_on(Trouble.NO_NETWORK, HOUR)[0] is RADIO


def test_with_nothing_left_to_try_it_is_opened_on_and_on() -> None:
    play = Play()
    assert play.go_on(Trouble.SILENT, HOUR, lacking=ORDER) == []
    assert play.ladder.planned is None
    assert play.lose(Trouble.SILENT) is REINITIALISE


def test_the_same_step_comes_less_and_less_often() -> None:
    play = Play()
    play.go_on(Trouble.NO_NETWORK, DAY)
    limits = RecoverySchedule()
    for step in ORDER:
        times = [at for taken, at in play.taken if taken is step]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert len(gaps) >= 2
        for number, gap in enumerate(gaps):
            assert gap >= min(limits.limits(step).spacing * 2**number, limits.limits(step).longest)


def test_a_step_that_was_taken_often_today_gives_way_to_the_next() -> None:
    play = Play()
    healthy = RecoverySchedule().healthy_after
    for _ in range(RecoverySchedule().radio.per_day):  # the radio helps, each time for a while
        assert play.go_on(Trouble.NO_NETWORK, 100.0) == [RADIO]
        play.ladder.ready(play.now)
        play.now += healthy
    assert play.go_on(Trouble.NO_NETWORK, 400.0) == [RESET, POWER]


def test_a_moment_of_health_does_not_start_the_ladder_anew_but_some_minutes_do() -> None:
    for seconds, expected in ((10.0, RESET), (RecoverySchedule().healthy_after, RADIO)):
        play = Play()
        assert play.go_on(Trouble.NO_NETWORK, 100.0) == [RADIO]
        play.ladder.ready(play.now)
        assert play.ladder.planned is None
        play.now += seconds
        assert play.go_on(Trouble.NO_NETWORK, HOUR)[0] is expected


def test_a_modem_that_vanishes_after_its_reset_goes_on_where_it_was() -> None:
    play = Play()
    assert play.go_on(Trouble.SILENT, 30.0) == [RESET]
    assert play.go_on(Trouble.ABSENT, 600.0) == []
    assert play.go_on(Trouble.SILENT, 60.0) == [POWER]


def test_what_comes_next_is_told() -> None:
    play = Play(RecoverySchedule(openings={Trouble.SILENT: Openings(0, 7.0)}))
    play.lose(Trouble.SILENT)
    assert play.ladder.planned == (RESET, 1007.0)
    play.now = 1007.0
    assert play.lose(Trouble.SILENT) is RESET
    play.lose(Trouble.SILENT)
    assert play.ladder.planned == (POWER, 1007.0 + play.ladder.schedule.reset.patience)


EVENT = st.tuples(
    st.sampled_from(["ready", "done", "unheard", "lacking", *["done"] * 6]),
    st.sampled_from([*Trouble, *[Trouble.SILENT] * 4]),
    st.one_of(st.floats(0, 10), st.floats(0, 1000), st.sampled_from([1.0, 5.0, 30_000.0])),
    st.integers(1, 60),
)


@given(st.lists(EVENT, max_size=60))
def test_whatever_happens_the_bounds_and_the_order_hold(events: list[tuple[str, Trouble, float, int]]) -> None:
    play = Play()
    schedule = play.ladder.schedule
    rounds: list[list[tuple[RecoveryStep, frozenset[RecoveryStep]]]] = [[]]
    for what, trouble, seconds, times in events:
        for _ in range(times):
            if what == "ready":
                play.ladder.ready(play.now)
            else:
                step = play.lose(trouble, lacking=ORDER if what == "lacking" else (), done=what == "done")
                assert step in (REINITIALISE, *STEPS[trouble]) if trouble is not Trouble.ABSENT else step is None
                if step in ORDER:
                    assert step is not None
                    rounds[-1].append((step, frozenset(play.ladder._lacking)))
            play.now += seconds
            if what == "ready" and seconds >= schedule.healthy_after:
                rounds.append([])
    _check_bounds(play, schedule)
    for one in rounds:
        for (earlier, _), (later, lacking) in pairwise(one):
            above = ORDER[ORDER.index(earlier) + 1 :]
            assert later in above or all(step in lacking or _was_used_up(play, step) for step in above)


def _check_bounds(play: Play, schedule: RecoverySchedule) -> None:
    for step in ORDER:
        limits: StepLimits = schedule.limits(step)
        times = [at for taken, at in play.taken if taken is step]
        for first, after in zip(times, times[limits.per_day :], strict=False):
            assert after - first >= DAY
        assert all(later - earlier >= limits.spacing for earlier, later in pairwise(times))
        in_an_hour = max((sum(at <= other < at + HOUR for other in times) for at in times), default=0)
        assert in_an_hour <= HOUR // limits.spacing


def _was_used_up(play: Play, step: RecoveryStep) -> bool:
    return sum(taken is step for taken, _ in play.taken) >= play.ladder.schedule.limits(step).per_day
