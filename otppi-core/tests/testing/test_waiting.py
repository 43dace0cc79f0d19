"""Waiting for a condition: it ends with the condition or at its deadline, and looks less often the longer it takes."""

import pytest

from otppi.testing.waiting import until


def test_it_gives_what_the_condition_gave() -> None:
    answers = iter([None, 0, "", "there"])
    assert until(lambda: next(answers)) == "there"


def test_it_says_what_was_waited_for_when_the_time_is_over() -> None:
    with pytest.raises(AssertionError, match=r"not within 0\.01 s: the modem is ready"):
        until(lambda: False, "the modem is ready", 0.01)
    with pytest.raises(AssertionError, match=r"not within 0\.01 s: 2 of 3"):
        until(lambda: False, lambda: "2 of 3", 0.01)


def test_the_longer_it_takes_the_less_often_it_looks() -> None:
    looks: list[int] = []
    with pytest.raises(AssertionError):
        until(lambda: looks.append(1), seconds=0.6)
    assert 1 < len(looks) < 0.6 / 0.005 * 3 / 4
