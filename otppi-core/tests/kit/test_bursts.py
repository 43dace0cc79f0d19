"""Floods of log lines: the first as they are, then a sum."""

import logging

import pytest

from otppi.kit.bursts import Bursts
from otppi.testing.scripted import until

logger = logging.getLogger("otppi.test")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_the_first_lines_of_a_kind_are_logged_and_the_rest_is_summed_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bursts = Bursts(logger, "ingress-x", most=3, period=0.05)
    for number in range(50):
        bursts.log(logging.WARNING, "bad messages", "bad message %d", number)
    bursts.log(logging.INFO, "good messages", "good")
    assert lines(caplog) == ["bad message 0", "bad message 1", "bad message 2", "good"]
    assert bursts.pause() is not None
    until(lambda: bursts.pause() == 0)
    bursts.flush()
    assert lines(caplog)[4:] == ["ingress-x: 47 more bad messages in 0 s"]
    assert caplog.records[-1].levelno == logging.WARNING
    assert bursts.pause() is None
    bursts.log(logging.WARNING, "bad messages", "bad message %d", 50)
    assert lines(caplog)[-1] == "bad message 50"


def test_the_next_line_brings_the_sum_of_the_last_period(caplog: pytest.LogCaptureFixture) -> None:
    bursts = Bursts(logger, "x", most=1, period=0.01)
    bursts.log(logging.WARNING, "lines", "one")
    bursts.log(logging.WARNING, "lines", "two")
    until(lambda: bursts.pause() == 0)
    bursts.log(logging.WARNING, "lines", "three")
    assert lines(caplog) == ["one", "x: 1 more lines in 0 s", "three"]


def test_few_lines_have_no_sum(caplog: pytest.LogCaptureFixture) -> None:
    bursts = Bursts(logger, "x", most=2, period=0.0)
    bursts.log(logging.WARNING, "lines", "one")
    bursts.flush()
    assert (lines(caplog), bursts.pause()) == (["one"], None)
