"""What the settings of all brokers have in common."""

import pytest

from otppi.kit.broker.settings import apart


def test_nothing_may_be_published_to_where_commands_come_from() -> None:
    values = {"enable": True, "queue": "sms", "dead_letter": "sms", "inbox_topic": "SMS", "other": "else"}
    check = apart("queue", "dead_letter", "inbox_topic", "other", full=str.lower)
    told = [(flaw.field, flaw.reason) for flaw in check(values)]
    assert told == [(key, "must not be the same as queue") for key in ("dead_letter", "inbox_topic")]
    assert not list(check({**values, "enable": False}))


@pytest.mark.parametrize("dead_letter", ["", "dead"])
def test_another_name_or_none_is_right(dead_letter: str) -> None:
    check = apart("queue", "dead_letter")
    assert not list(check({"enable": True, "queue": "sms", "dead_letter": dead_letter}))
