"""What the settings of all brokers have in common."""

import pytest

from otppi.api.errors import InvalidSettings
from otppi.kit.broker.settings import check_apart


def test_nothing_may_be_published_to_where_commands_come_from() -> None:
    values = {"queue": "sms", "dead_letter": "sms", "inbox_topic": "sms", "other": "else"}
    with pytest.raises(InvalidSettings) as caught:
        check_apart("ingress-x", values, "queue", "dead_letter", "inbox_topic", "other")
    assert [flaw.field for flaw in caught.value.problems] == ["ingress-x.dead_letter", "ingress-x.inbox_topic"]
    assert str(caught.value).startswith("ingress-x.dead_letter: must not be the same as queue")


@pytest.mark.parametrize("dead_letter", ["", "dead"])
def test_another_name_or_none_is_right(dead_letter: str) -> None:
    check_apart("ingress-x", {"queue": "sms", "dead_letter": dead_letter}, "queue", "dead_letter")
