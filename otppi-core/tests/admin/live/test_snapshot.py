"""What the monitor shows, by what operations tell: values without texts, sentences in each language."""

import json
import time
from typing import Any

import pytest

from otppi.admin.live import snapshot
from otppi.admin.live.snapshot import changed_messages, sentence_of
from otppi.text import Text, _
from otppi.text.states import step_said

SECRETS = {"imsi": "510101234567890", "iccid": "8962101234567890123", "certificate_sha256": "ab", "warnings": ["x"]}


def modem(**values: Any) -> dict[str, Any]:
    known = {
        "modem_id": "m0", "state": "ready", "detail": "", "unusable": "", "since": 5, "queued": 0, "sent": 9,
        "imei": "490154203237518", "operator": "Telkomsel", "registration": "home", "signal_dbm": -71,
        "recoveries": {}, "last_recovery": None, "next_step": None, "usage": {"today": {"messages": 12}},
    }  # fmt: skip
    return known | SECRETS | values


def ingress(**values: Any) -> dict[str, Any]:
    known = {"name": "ingress-mqtt", "title": "MQTT", "state": "running", "since": 5, "failures": 0, "last_error": None}
    return known | SECRETS | values


LINK = {"server": "a:1883", "connected": True, "detail": "connected", "attempts": 0, "last_problem": None}


def test_a_sentence_is_said_in_each_language_where_that_makes_a_difference() -> None:
    assert sentence_of(_("queued")) == {"en": "queued", "id": "antre"}
    assert sentence_of(Text("MQTT", domain="otppi")) == "MQTT"
    assert sentence_of("what a modem said") == "what a modem said"
    assert sentence_of(None) == ""


def test_a_modem_is_told_without_its_numbers() -> None:
    made = snapshot._modem(modem(balance=4500.0, balance_low=True))
    assert made["signal_word"]
    assert (made["operator"], made["today"], made["balance"], made["balance_low"]) == ("Telkomsel", 12, 4500.0, True)
    assert made["problem"] == ""
    shown = json.dumps(made)
    assert not [one for one in (*SECRETS.values(), "490154203237518") if str(one) in shown]


def test_a_signal_that_is_not_known_has_no_word() -> None:
    made = snapshot._modem(modem(signal_dbm=None))
    assert (made["signal"], made["signal_word"]) == (None, "")


def test_why_a_modem_cannot_send_and_what_comes_next() -> None:
    lost = {"step": "radio", "at": 1, "cause": "no network"}
    assert snapshot._modem(modem(last_recovery=lost))["problem"] == ""
    away = modem(state="recovering", last_recovery=lost, next_step={"step": "reset", "at": 9})
    assert snapshot._modem(away)["problem"] == "no network"
    assert snapshot._modem(away)["next_step"] == {"step": sentence_of(step_said("reset")), "at": 9}
    assert snapshot._modem(modem(unusable="quota"))["problem"] == "quota"
    assert snapshot._modem(modem(state="blocked", detail="PIN", unusable="quota"))["problem"] == "PIN"


@pytest.mark.parametrize(
    ("values", "state", "problem"),
    [
        ({}, "running", ""),
        ({"stalled": "nobody is answered"}, "stalled", "nobody is answered"),
        (LINK, "connected", ""),
        (LINK | {"connected": False, "last_problem": "refused"}, "connecting", "refused"),
        (LINK | {"state": "blocked", "connected": False, "last_error": "wrong"}, "blocked", "wrong"),
        ({"state": "waiting to be started again", "last_error": "gone"}, "waiting to be started again", "gone"),
    ],
)
def test_the_state_of_a_source(values: dict[str, Any], state: str, problem: str) -> None:
    made = snapshot._source(ingress(**values))
    assert (made["state"], made["problem"]) == (state, problem)
    assert made.keys() == {"name", "title", "state", "since", "problem"}


def message(**values: Any) -> dict[str, Any]:
    known = {
        "message_id": "1", "created": time.mktime((2026, 11, 29, 2, 16, 33, 0, 0, -1)), "ingress": "ingress-rest",
        "sender": "app", "channel": "sms", "receiver": "62812******01", "egress": None, "segments": 0,
        "state": "queued", "cause": None, "finished": None,
    }  # fmt: skip
    return known | values


def test_a_message_is_told_with_the_time_of_the_device() -> None:
    made = snapshot._message(message())
    assert (made["time"], made["seconds"], made["modem"]) == ("02:16:33", None, "")
    ended = snapshot._message(message(created=10.0, finished=12.34, egress="m0"))
    assert (ended["seconds"], ended["modem"]) == (2.3, "m0")
    assert snapshot._message(message(created=10.0, finished=4.0))["seconds"] == 0.0  # the clock was put back


def test_which_messages_have_changed() -> None:
    before = [{"id": "2", "state": "sending"}, {"id": "1", "state": "sent"}]
    after = [{"id": "3", "state": "queued"}, {"id": "2", "state": "sent"}, {"id": "1", "state": "sent"}]
    assert changed_messages(before, after) == after[:2]
    assert changed_messages(after, after) == []
