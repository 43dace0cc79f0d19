"""Alarms of a gateway: who is told of what, by which modem, what is kept, and what people can ask."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from otppi.api.egress import EgressState
from otppi.api.errors import InvalidSettings, NotPermitted, Throttled
from otppi.api.operations import Actor, Role
from otppi.host.alarms.wording import TEST
from otppi.host.host import Host
from otppi.testing.scripted import until

from .conftest import ADI, PHONE, Alarmed, Hook

Make = Callable[..., Alarmed]


def test_a_lost_modem_is_told_by_another_one(alarmed: Make) -> None:
    here = alarmed(sms=True)
    lost, other = here.modems
    here.lose(lost)
    here.watch(9)
    assert here.texts() == []
    here.watch(2)
    until(lambda: other.outbox)
    (sent,) = here.texts()
    assert (sent.modem, sent.destination) == (other.name, PHONE)
    assert sent.text.startswith("OTP-Pi ")
    assert f"Modem {lost.name} does not send: " in sent.text
    here.watch(60)
    here.bring_back(lost)
    here.watch(2)
    until(lambda: len(here.texts()) == 2)
    assert [one.text.endswith(f"Modem {lost.name} sends again.") for one in here.texts()].count(True) == 1
    here.watch(60)
    assert len(here.texts()) == 2


def test_one_that_is_about_to_come_back_does_not_get_the_alarm(alarmed: Make) -> None:
    """The gateway would let a message wait for it, as long as it may be recovering."""
    here = alarmed(sms=True)
    here.change({"sms": {"modem_grace": 3_600}})
    lost, other = here.modems
    here.lose(lost)
    assert lost.name in here.alarms.lost_modems()
    here.watch(11)
    until(lambda: other.outbox)
    assert lost.attempts == []


def test_where_the_only_modem_is_lost_its_end_is_told(alarmed: Make) -> None:
    here = alarmed(1, sms=True)
    (modem,) = here.modems
    here.lose(modem)
    here.watch(15)
    assert here.call("alarms")["raised"][0]["told"] is None
    assert here.texts() == []
    here.bring_back(modem)
    here.watch(10)
    until(lambda: modem.outbox)
    assert [one.text.partition(": ")[2] for one in here.texts()] == [f"Modem {modem.name} sends again."]


def test_the_words_are_in_the_language_of_who_reads_them(alarmed: Make) -> None:
    here = alarmed(sms=True)
    budi = {**ADI, "username": "budi", "phone": "6281234567891", "language": ""}
    vera = {**ADI, "username": "vera", "phone": "6281234567892", "role": "viewer"}
    nobody = {**ADI, "username": "nobody"}
    here.change({"administrators": [{**ADI, "phone": PHONE}, budi, vera, nobody]})
    here.lose(here.modems[0])
    here.watch(12)
    until(lambda: len(here.texts()) == 2)
    told = {one.destination: one.text for one in here.texts()}
    assert "does not send" in told[PHONE]
    assert "tidak mengirim" in told["6281234567891"]


def test_only_those_who_are_chosen_are_told(alarmed: Make) -> None:
    here = alarmed(sms=False)
    vera = {**ADI, "username": "vera", "phone": "6281234567892", "role": "viewer"}
    here.change({"administrators": [{**ADI, "phone": PHONE}, vera], "alarms": {"sms": True, "recipients": ["vera"]}})
    here.lose(here.modems[0])
    here.watch(12)
    until(here.texts)
    assert [one.destination for one in here.texts()] == ["6281234567892"]


def test_a_quota_that_is_used_up_is_told_by_another_modem(alarmed: Make) -> None:
    here = alarmed(sms=True)
    limited = {"name": "m0", "type": "scripted", "daily_quota": 1}
    here.change({"modems": [limited, {"name": "m1", "type": "scripted"}]})
    here.call("send", receiver="081234500000", message="a text", modem="m0")
    here.watch(1)
    until(lambda: any("quota" in one.text for one in here.texts()))
    (told,) = [one for one in here.texts() if "quota" in one.text]
    assert told.modem == "m1"
    assert told.text.endswith("Modem m0: today's quota is used up.")


def test_a_restart_tells_nothing_once_more(alarmed: Make) -> None:
    here = alarmed(sms=True)
    here.lose(here.modems[0])
    here.watch(12)
    until(here.texts)
    here.again()
    here.watch(60)
    here.wall -= 86_400 * 365
    here.again()
    here.watch(60)
    assert len(here.texts()) == 1
    assert [one["condition"] for one in here.call("alarms")["raised"]] == ["modem"]


def test_what_is_kept_has_no_number_and_is_private(alarmed: Make) -> None:
    here = alarmed(sms=True)
    here.lose(here.modems[0])
    here.watch(12)
    path = here.host.data.path / "alarms"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_bytes())["alarms"]
    assert PHONE not in path.read_text()
    assert PHONE[2:] not in path.read_text()


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"version": 1}', b"\xff\xfe", b"[" * 10_000])
def test_a_damaged_file_is_forgotten(alarmed: Make, caplog: pytest.LogCaptureFixture, content: bytes) -> None:
    here = alarmed()
    (here.host.data.path / "alarms").write_bytes(content)
    here.again()
    here.watch(1)
    assert "cannot be read, and is forgotten" in caplog.text


def test_a_card_that_takes_nothing_is_told_and_the_alarm_all_the_same(
    alarmed: Make, caplog: pytest.LogCaptureFixture
) -> None:
    here = alarmed(sms=True)
    (here.host.data.path / "alarms.new").mkdir()  # where it is written before it takes its place
    here.lose(here.modems[0])
    with caplog.at_level(logging.ERROR):
        here.watch(12)
    until(here.texts)
    assert "what is known of alarms cannot be written" in " ".join(here.alarms.warnings())
    (here.host.data.path / "alarms.new").rmdir()
    here.alarms.close()
    assert here.alarms.warnings() == []


def test_a_thousand_flaps_send_a_bounded_number(alarmed: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a modem whose loss counts after a minute: each is an alarm, and well again two minutes later."""
    here = alarmed(sms=True, modem_minutes=1)
    flapping, other = here.host._modems()
    absent = SimpleNamespace(state=EgressState.ABSENT)
    lost = SimpleNamespace(name=flapping.name, held=False, status=absent, account=flapping.account)
    watched = here.alarms._watched
    for _ in range(1_000):
        for modems in ([lost, other], [flapping, other]):
            monkeypatch.setattr(here.alarms, "_watched", replace(watched, modems=partial(list, modems)))
            here.watch(1, step=60)
            here.watch(1, step=60)
    hours = 1_000 * 4 / 60
    assert 0 < len(here.texts()) <= min(2 * hours + 2, 20 * (hours / 24 + 1))
    assert "more alarms came and went." in here.texts()[-1].text


# -- the webhook -------------------------------------------------------------------------------------------------------


def test_the_webhook_has_its_signature_and_all_that_is_told(alarmed: Make, hook: Hook) -> None:
    here = alarmed()
    here.change({"webhook": {"url": hook.url, "secret": "a made-up key"}, "alarms": {"webhook": True}})
    here.lose(here.modems[0])
    here.watch(12)
    until(lambda: hook.bodies)
    (posted,) = hook.bodies
    assert posted["event"] == "alarm"
    (alarm,) = posted["data"]["alarms"]
    assert (alarm["change"], alarm["condition"], alarm["subject"]) == ("raised", "modem", "m0")
    assert "OTP-Pi-Signature" in hook.headers[0]
    assert here.texts() == []


def test_what_the_webhook_gives_up_is_told_again(alarmed: Make, hook: Hook) -> None:
    hook.status = 400
    here = alarmed()
    here.change({"webhook": {"url": hook.url}, "alarms": {"webhook": True}})
    here.lose(here.modems[0])
    here.watch(10.5)
    until(lambda: here.host.webhook.describe()["given_up"] == 1)
    hook.status = 200
    here.watch(4)
    until(lambda: here.host.webhook.describe()["delivered"] == 1)
    assert [one["data"]["alarms"][0]["change"] for one in hook.bodies] == ["raised", "raised"]
    here.watch(60)
    assert len(hook.bodies) == 2


def test_an_end_that_the_webhook_gives_up_is_told_again(alarmed: Make, hook: Hook) -> None:
    here = alarmed()
    here.change({"webhook": {"url": hook.url}, "alarms": {"webhook": True}})
    here.lose(here.modems[0])
    here.watch(70)
    until(lambda: here.host.webhook.describe()["delivered"] == 1)
    hook.status = 400
    here.bring_back(here.modems[0])
    here.watch(1.5)
    until(lambda: here.host.webhook.describe()["given_up"] == 1)
    hook.status = 200
    here.watch(4)
    until(lambda: here.host.webhook.describe()["delivered"] == 2)
    assert [one["data"]["alarms"][0]["change"] for one in hook.bodies] == ["raised", "ended", "ended"]
    here.watch(60)
    assert len(hook.bodies) == 3
    assert here.alarms._book._followed == []


# -- what people ask ---------------------------------------------------------------------------------------------------


def test_what_is_raised_and_what_was(alarmed: Make) -> None:
    here = alarmed()
    here.lose(here.modems[0])
    here.watch(12)
    told = here.call("alarms")
    (raised,) = told["raised"]
    assert (raised["condition"], raised["subject"], raised["level"]) == ("modem", "m0", "problem")
    assert raised["since"] == round(here.wall - 12 * 60 + 15)
    assert raised["told"] is None
    here.bring_back(here.modems[0])
    here.watch(2)
    told = here.call("alarms")
    assert told["raised"] == []
    assert [one["change"] for one in told["history"]] == ["ended", "raised"]


def test_metrics_count_by_condition(alarmed: Make) -> None:
    here = alarmed()
    here.lose(here.modems[0])
    here.watch(12)
    counted = here.alarms.samples()["alarms_raised"]
    assert {key for key, value in counted.items() if value} == {'condition="modem"'}
    assert len(counted) == 13


def test_it_is_a_metric_of_the_gateway(host: Host) -> None:
    assert set(host.gateway.counters()["alarms_raised"].values()) == {0.0}


def test_the_first_page_is_told_what_nothing_else_tells(alarmed: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    here = alarmed(logins_an_hour=5)
    here.lose(here.modems[0])
    for _ in range(5):
        here.host.administrators.log.token_failed("192.0.2.1")
    here.watch(12)
    assert {one["condition"] for one in here.call("alarms")["raised"]} == {"modem", "logins"}
    assert list(here.alarms.problems()) == ["5 logins failed within an hour."]


def test_a_test_says_what_became_of_it(alarmed: Make, hook: Hook) -> None:
    here = alarmed(sms=True)
    (sent,) = here.call("alarms_test")
    assert (sent["way"], sent["recipient"], sent["state"]) == ("sms", "adi", "sent")
    assert here.texts()[0].text.endswith("This is a test: alarms of this device come this way.")
    here.change({"webhook": {"url": hook.url}})
    (posted,) = here.call("alarms_test", way="webhook")
    assert posted["state"] == "delivered"
    hook.status = 400
    assert here.call("alarms_test", way="webhook")[0]["state"] == "failed"
    ways = {one["way"]: one for one in here.call("alarm_ways")}
    assert {way: one["on"] for way, one in ways.items()} == {"sms": True, "webhook": False, "email": False}
    assert [one["state"] for one in ways["sms"]["last"]] == ["sent"]
    assert [one["state"] for one in ways["webhook"]["last"]] == ["failed"]


def test_a_test_that_cannot_reach_anybody_is_refused(alarmed: Make) -> None:
    here = alarmed()
    for way in ("", "webhook", "email"):
        with pytest.raises(InvalidSettings) as refused:
            here.call("alarms_test", way=way)
        assert [one.field for one in refused.value.problems] == ["way"]


def test_tests_are_no_flood(alarmed: Make) -> None:
    here = alarmed(sms=True)
    for _ in range(5):
        here.call("alarms_test", wait=0.0)
    with pytest.raises(Throttled):
        here.call("alarms_test", wait=0.0)


def test_who_may(alarmed: Make) -> None:
    here = alarmed()
    viewer = Actor("vera", "administration", Role.VIEWER)
    assert here.registry.call("alarms", {}, viewer)["raised"] == []
    for name in ("alarm_ways", "alarms_test"):
        with pytest.raises(NotPermitted):
            here.registry.call(name, {}, viewer)


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"alarms": {"sms": True}, "administrators": [ADI]}, "alarms.sms"),
        ({"alarms": {"sms": True, "recipients": ["nobody"]}}, "alarms.sms"),
        ({"alarms": {"sms": True}, "administrators": [{**ADI, "phone": PHONE}, {**ADI, "username": "b"}]}, ""),
        ({"alarms": {"email": True}}, "alarms.email"),
        ({"alarms": {"webhook": True}}, "alarms.webhook"),
        ({"alarms": {"webhook": True}, "webhook": {"url": "http://127.0.0.1:9/"}}, ""),
        ({"alarms": {"modem_minutes": 0}}, "alarms.modem_minutes"),
        ({"alarms": {"disk_percent": 100}}, "alarms.disk_percent"),
    ],
)
def test_what_cannot_work_is_refused(alarmed: Make, document: dict[str, Any], field: str) -> None:
    here = alarmed()
    if not field:
        here.change(document)
        return
    with pytest.raises(InvalidSettings) as refused:
        here.change(document)
    assert [one.field for one in refused.value.problems] == [field]


def test_the_last_who_gets_them_stays(alarmed: Make) -> None:
    here = alarmed(sms=True)
    with pytest.raises(InvalidSettings) as refused:
        here.change({"administrators": [ADI]})
    assert "goes to nobody" in str(refused.value)
    here.change({"alarms": {"sms": False}, "administrators": [ADI]})


def test_what_is_not_watched_raises_nothing(alarmed: Make) -> None:
    here = alarmed(sms=True, modem=False)
    here.lose(here.modems[0])
    here.watch(15)
    assert here.call("alarms")["raised"] == []
    assert here.texts() == []


def test_what_is_announced_goes_by_all_ways_at_once(alarmed: Make, hook: Hook) -> None:
    here = alarmed()
    here.change({"webhook": {"url": hook.url}, "alarms": {"webhook": True, "sms": True}})
    here.alarms.announce(TEST, 30.0)
    (sent,) = here.texts()
    assert "This is a test" in sent.text
    until(lambda: hook.bodies)
    (alarm,) = hook.bodies[0]["data"]["alarms"]
    assert (alarm["change"], alarm["text"]) == ("announced", str(TEST))


def test_what_is_announced_where_no_way_is_switched_on_is_logged(
    alarmed: Make, caplog: pytest.LogCaptureFixture
) -> None:
    here = alarmed()
    here.alarms.announce(TEST, 30.0)
    assert here.texts() == []
    assert "told by nobody" in caplog.text
