"""Settings: their checks, alone and together, and what follows from them."""

from pathlib import Path
from typing import Any

import pytest

from otppi_ingress_mqtt.memory import Subscribed, made_up_client_id
from otppi_ingress_mqtt.plugin import otppi_ingress_types
from otppi_ingress_mqtt.settings import SECTION
from otppi_ingress_mqtt.topics import catches, filter_problem, name_problem, subscription


def test_the_plugin_registers_it() -> None:
    (kind,) = otppi_ingress_types()
    assert kind.section is SECTION
    values = SECTION.defaults()
    assert not kind.enabled(values)
    assert kind.enabled({**values, "enable": True})


def test_every_row_of_the_document_is_there() -> None:
    titles = [setting.title.lower() for setting in SECTION.settings]
    for title in (
        "Enable", "SSL", "Host", "Port", "Client ID", "Username", "Password", "Topic", "Timeout", "Refresh connection",
    ):  # fmt: skip
        assert title.lower() in titles
    assert SECTION.defaults()["port"] == 1883
    assert SECTION["password"].secret


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("topic", ""),
        ("topic", "a/#/b"),
        ("topic", "a#"),
        ("topic", "a+/b"),
        ("topic", "$share/group"),
        ("topic", "$share//a"),
        ("topic", "$share/g+/a"),
        ("topic", "a\nb"),
        ("topic", "a" * 9_999 + "\x7f"),
        ("shared_group", "a/b"),
        ("shared_group", "+"),
        ("status_topic", "a/+"),
        ("status_topic", "$SYS/x"),
        ("client_id", "a\tb"),
        ("qos", 3),
        ("protocol", "4"),
    ],
)
def test_what_is_refused(key: str, value: Any) -> None:
    _, problems = SECTION.validate({key: value})
    assert [problem.field for problem in problems] == [f"ingress-mqtt.{key}"]


@pytest.mark.parametrize("topic", ["sms", "a/b", "+/b", "a/#", "#", "$share/g/a/+/b", "/", "otp é"])
def test_topics_that_are_taken(topic: str) -> None:
    assert filter_problem(topic) is None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"status_topic": "sms"}, "status_topic"),
        ({"topic": "otp/#", "inbox_topic": "otp/inbox"}, "inbox_topic"),
        ({"topic": "$share/g/otp/+", "status_topic": "otp/status"}, "status_topic"),
        ({"inbox_topic": "a/+"}, "inbox_topic"),
        ({"host": ""}, "host"),
    ],
)
def test_what_does_not_go_together(values: dict[str, Any], field: str) -> None:
    assert [one.field for one in SECTION.validate({"enable": True, **values})[1]] == [f"ingress-mqtt.{field}"]
    assert SECTION.validate(values)[1] == []  # it is not switched on


@pytest.mark.parametrize(
    ("topic_filter", "topic", "does"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("a", "a/b", False),
        ("a/b", "a", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("+", "a", True),
        ("+", "a/b", False),
        ("a/+/c", "a/b/c", True),
        ("a/+", "a/", True),
        ("$share/g/a/+", "a/b", True),
        ("$share/g/a", "b", False),
    ],
)
def test_what_a_filter_catches(topic_filter: str, topic: str, does: bool) -> None:
    assert catches(topic_filter, topic) is does


def test_names() -> None:
    assert name_problem("a/b") is None
    assert name_problem("") == "must not be empty"
    assert name_problem("\ud800") == "must not hold half of a surrogate pair"
    assert name_problem("a" * 65_536) == "is too long"


def test_the_group() -> None:
    assert subscription({"topic": "a", "shared_group": ""}) == "a"
    assert subscription({"topic": "a", "shared_group": "g"}) == "$share/g/a"
    assert subscription({"topic": "$share/h/a", "shared_group": "g"}) == "$share/h/a"


def test_the_client_id_is_made_up_once(tmp_path: Path) -> None:
    made = made_up_client_id(tmp_path)
    assert made == made_up_client_id(tmp_path)
    assert len(made) <= 23
    assert made.isalnum()
    (tmp_path / "client-id").write_bytes(b"\xff")
    other = made_up_client_id(tmp_path)
    assert other != made
    assert other == made_up_client_id(tmp_path)


def test_the_subscription_is_kept_in_mind(tmp_path: Path) -> None:
    first = Subscribed(tmp_path)
    assert first.other_than("a") is None
    first.note("a")
    second = Subscribed(tmp_path)
    assert second.other_than("a") is None
    assert second.other_than("b") == "a"
