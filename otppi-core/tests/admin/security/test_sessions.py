"""Sessions: made at login, ended by time, by number, by hand and by scheme."""

from collections.abc import Callable

import pytest

from otppi.admin.security.sessions import FRESH, IDLE, LIFE, MOST_OF_ONE, PageSession, Sessions


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> bool:
        self.now += seconds
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(clock)


def begin(sessions: Sessions, name: str = "rina", *, secure: bool = False) -> tuple[str, PageSession]:
    token = sessions.create(name, "stamp", secure=secure, address="192.0.2.1", browser="Firefox")
    session = sessions.find(token, secure=secure)
    assert session is not None
    return token, session


def test_a_token_is_256_bits_and_is_not_kept(sessions: Sessions) -> None:
    tokens = {begin(sessions)[0] for _ in range(3)}
    assert len(tokens) == 3
    assert all(len(one) >= 43 for one in tokens)
    assert not any(one in repr(vars(sessions)) for one in tokens)


@pytest.mark.parametrize("token", ["", "x", "\ud800", "é" * 1000])
def test_what_is_no_token_is_nobodys(sessions: Sessions, token: str) -> None:
    begin(sessions)
    assert sessions.find(token, secure=False) is None


@pytest.mark.parametrize("secure", [True, False])
def test_it_is_valid_by_its_own_scheme_only(sessions: Sessions, secure: bool) -> None:
    token, _ = begin(sessions, secure=secure)
    assert sessions.find(token, secure=not secure) is None
    assert sessions.find(token, secure=secure) is not None


def test_it_ends_when_nobody_uses_it(sessions: Sessions, clock: Clock) -> None:
    token, session = begin(sessions)
    for _ in range(3):
        clock.now += IDLE - 1
        assert sessions.find(token, secure=False) is session
        sessions.used(session)
    clock.now += IDLE + 1
    assert sessions.find(token, secure=False) is None
    clock.now -= IDLE
    assert sessions.find(token, secure=False) is None, "it is gone for good"


def test_it_ends_in_any_case_after_twelve_hours(sessions: Sessions, clock: Clock) -> None:
    token, session = begin(sessions)
    end = clock.now + LIFE
    while clock.now + IDLE / 2 < end:
        clock.now += IDLE / 2
        assert sessions.find(token, secure=False) is session
        sessions.used(session)
    clock.now = end + 1
    assert sessions.find(token, secure=False) is None


def test_the_oldest_of_one_administrator_makes_room(sessions: Sessions) -> None:
    other, _ = begin(sessions, "budi")
    tokens = [begin(sessions)[0] for _ in range(MOST_OF_ONE + 2)]
    alive = [sessions.find(one, secure=False) is not None for one in tokens]
    assert alive == [False] * 2 + [True] * MOST_OF_ONE
    assert sessions.find(other, secure=False) is not None


def test_one_session_is_ended_or_all_of_an_administrator_but_one(sessions: Sessions) -> None:
    first, _ = begin(sessions)
    second, own = begin(sessions)
    third, last = begin(sessions)
    other, _ = begin(sessions, "budi")
    sessions.end(last)
    assert [one.shown_id for one in sessions.of("rina")] == [
        own.shown_id,
        *(one.shown_id for one in sessions.of("rina")[1:]),
    ]
    sessions.end_all("rina", but=own)
    found = [sessions.find(one, secure=False) is not None for one in (first, second, third, other)]
    assert found == [False, True, False, True]


@pytest.mark.parametrize(
    "end",
    [
        lambda sessions, session, clock: sessions.end(session),
        lambda sessions, session, clock: sessions.end_all("rina"),
        lambda sessions, session, clock: (clock.pass_by(IDLE + 1), sessions.tidy()),
        lambda sessions, session, clock: [begin(sessions) for _ in range(MOST_OF_ONE)],
    ],
    ids=["by hand", "all", "by time", "by number"],
)
def test_its_end_is_told_once(
    sessions: Sessions, clock: Clock, end: Callable[[Sessions, PageSession, Clock], object]
) -> None:
    told: list[int] = []
    _, session = begin(sessions)
    session.on_end.append(lambda: told.append(1))
    end(sessions, session, clock)
    sessions.end(session)
    assert told == [1]


def test_a_password_is_fresh_for_five_minutes(sessions: Sessions, clock: Clock) -> None:
    _, session = begin(sessions)
    clock.now += FRESH
    assert sessions.is_fresh(session)
    clock.now += 1
    assert not sessions.is_fresh(session)
