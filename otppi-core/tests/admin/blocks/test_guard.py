"""A function of a page that fails, is late or never comes back is told, and not asked for ever."""

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from otppi.admin.blocks.guard import MOST_AT_ONCE, MOST_FAILURES, GuardedCall, NotShownError, Off
from otppi.testing.waiting import PATIENCE, until

SHORT = 0.2
Give = Callable[[str], None]


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """What functions of a test wait for; set at the end, so that no thread stays."""
    event = threading.Event()
    before = set(threading.enumerate())
    yield event
    event.set()
    until(lambda: set(threading.enumerate()) <= before, "all threads have ended")


def gives(*found: str, then: BaseException | None = None) -> Callable[[Give], None]:
    def make(give: Give) -> None:
        for one in found:
            give(one)
        if then is not None:
            raise then

    return make


def names_its_thread(give: Give) -> None:
    give(threading.current_thread().name)


def waits(event: threading.Event, ended: threading.Event | None = None) -> Callable[[Give], None]:
    def make(give: Give) -> None:
        give("began")
        event.wait(PATIENCE)
        give("too late")
        if ended is not None:
            ended.set()

    return make


def test_what_is_made_comes_back_and_was_made_on_a_thread_of_its_own() -> None:
    made = GuardedCall("a page").call(names_its_thread)
    assert (made.found, made.trouble) == (("a page 1",), "")


@pytest.mark.parametrize("error", [ValueError("the code is 123456"), SystemExit(3), KeyboardInterrupt(), MemoryError()])
def test_what_is_raised_is_told_by_its_kind_alone(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    made = GuardedCall("a page").call(gives("first", then=error))
    assert made.found == ("first",)
    assert type(error).__name__ in made.trouble
    assert "123456" not in made.trouble + caplog.text
    assert "in make" in caplog.text, "the log says where"


def test_nonsense_is_told_in_our_words() -> None:
    assert "it is no block" in GuardedCall("a page").call(gives(then=NotShownError("it is no block"))).trouble


def test_three_failures_in_a_row_switch_it_off(caplog: pytest.LogCaptureFixture) -> None:
    call = GuardedCall("a page")
    for _turn in range(MOST_FAILURES - 1):
        call.call(gives(then=ValueError()))
    assert call.call(gives("fine")).trouble == ""
    for _turn in range(MOST_FAILURES):
        assert call.off is None
        call.call(gives(then=ValueError()))
    assert call.off is Off.FAILED
    asked: list[int] = []

    def ask(_give: Give) -> None:
        asked.append(1)

    made = call.call(ask)
    assert (asked, made.found) == ([], ())
    assert "failed three times in a row" in made.trouble
    assert "switched off until the next start" in caplog.text


def test_what_is_late_is_told_and_what_was_there_in_time_is_shown(held: threading.Event) -> None:
    call = GuardedCall("a page", SHORT)
    made = call.call(waits(held))
    assert (made.found, "did not come within two seconds" in made.trouble) == (("began",), True)
    assert call.off is None, "it may come to its end yet"


def test_what_came_late_but_came_is_asked_again(held: threading.Event) -> None:
    call = GuardedCall("a page", SHORT)
    ended = threading.Event()
    call.call(waits(held, ended))
    held.set()
    assert ended.wait(PATIENCE)
    until(lambda: not any(one.name.startswith("a page") for one in threading.enumerate()), "its thread has ended")
    assert call.call(gives("x")).found == ("x",)


def test_what_does_not_come_back_is_off_the_next_time(held: threading.Event) -> None:
    call = GuardedCall("a page", SHORT)
    call.call(waits(held))
    made = call.call(gives("x"))
    assert (call.off, made.found) == (Off.STUCK, ())
    assert "did not come to an end" in made.trouble


def test_no_more_than_a_few_ask_at_once(held: threading.Event) -> None:
    call = GuardedCall("a page", PATIENCE)
    pending = [call.begin(waits(held)) for _ in range(MOST_AT_ONCE)]
    assert "Others look at this page" in call.call(gives("x")).trouble
    held.set()
    assert [call.end(one).trouble for one in pending] == [""] * MOST_AT_ONCE
    assert call.call(gives("x")).found == ("x",)


def test_the_log_has_no_words_of_the_exception(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    GuardedCall("a page").call(gives(then=RuntimeError("secret words")))
    assert "secret words" not in caplog.text
