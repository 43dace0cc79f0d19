"""What needs a person: each cause has its words, and is found by what a modem, a server or the gateway tells."""

from typing import Any

import pytest

from otppi.admin.pages.needs import (
    CAUSES,
    OF_PLUGINS,
    OF_TEMPLATES,
    TOLD_ELSEWHERE,
    Need,
    cause_of,
    needs,
    refusal_said,
)
from otppi.kit.at.port import sandbox_refuses
from otppi.kit.net.failures import WRONG_LOGIN
from otppi.text import Text, _, joined
from otppi.text.languages import translated

LINK = {"server": "a:1883", "connected": False, "detail": "waiting", "since": 1, "attempts": 3}
NO_STATUS: dict[str, Any] = {"ingresses": [], "power_supply": "", "warnings": [], "problems": []}


def text(template: str, **arguments: object) -> Text:
    """Make a text of a template that somebody else has."""
    return Text(template, arguments, domain="otppi")


def modem(**values: Any) -> dict[str, Any]:
    known = {"modem_id": "m 0", "state": "ready", "detail": "", "unusable": "", "balance_low": False, "sim_problem": ""}
    return known | values


def ingress(**values: Any) -> dict[str, Any]:
    return {"name": "ingress-mqtt", "title": "MQTT", "state": "running", "last_error": None, "failures": 0} | values


def causes(found: list[Need]) -> list[str]:
    known = {str(cause): key for key, (cause, _advice) in CAUSES.items()}
    return [known.get(str(one.cause), "") for one in found]


@pytest.mark.parametrize("key", CAUSES)
def test_each_cause_says_what_it_is_and_what_to_do_in_both_languages(key: str) -> None:
    for sentence in CAUSES[key]:
        assert sentence.endswith(".")
        assert translated(sentence, "id") != str(sentence)


@pytest.mark.parametrize("template", [*OF_TEMPLATES, *sorted(TOLD_ELSEWHERE), "the SIM asks for {status}"])
def test_what_is_recognised_is_still_told_somewhere(template: str) -> None:
    """A template that nobody tells any more is in no catalogue: the row here has to follow it."""
    said = text(template).rendered(lambda one: _in_indonesian(one))
    assert said != template
    assert OF_TEMPLATES.get(template, "sim") in CAUSES or template in TOLD_ELSEWHERE


def _in_indonesian(one: Text) -> str | None:
    from otppi.text import languages

    return languages._template(one, "id")


@pytest.mark.parametrize(
    ("told", "key"),
    [
        (_("the SIM asks for {status}", status="SIM PUK"), "sim-puk"),
        (_("the SIM asks for {status}", status="PH-SIM PIN"), "sim-pin"),
        (_("the SIM asks for its PIN and none is set"), "sim-pin"),
        (_("the SIM refused the PIN ({text})", text="+CME ERROR: 16"), "sim-pin-refused"),
        (_("the SIM cannot be used: {cme_meaning}", cme_meaning="SIM not inserted"), "no-sim"),
        (_("the SIM cannot be used: {cme_meaning}", cme_meaning="SIM failure"), "sim"),
        (_("no network: {registration}", registration="denied"), "no-network"),
        (_("{path} is held by {named}", path="/dev/ttyUSB2", named="minicom (812)"), "port-busy"),
        (_("no port is set"), "port"),
        (_("{path} may not be opened by this user (add it to the group dialout)", path="/dev/ttyUSB0"), "port"),
        (sandbox_refuses("/dev/ttyUSB0"), "sandbox"),
        ("the SIM asks for its PIN and none is set, says a stranger", ""),
        (_("the modem gave no reason"), ""),
        (_("{problem} (401)", problem=WRONG_LOGIN), "login"),
        (joined("; ", (_("the modem gave no reason"), WRONG_LOGIN)), "login"),
    ],
)
def test_the_cause_of_a_sentence(told: str, key: str) -> None:
    assert cause_of(told) == key


@pytest.mark.parametrize(("domain", "template"), OF_PLUGINS)
def test_what_plugins_tell_is_still_told_somewhere(domain: str, template: str) -> None:
    told = Text(template, {"short": "?"}, domain=domain)
    assert translated(told, "id") != str(told)
    assert cause_of(told) == OF_PLUGINS[domain, template]
    assert OF_PLUGINS[domain, template] in CAUSES


@pytest.mark.parametrize(("lock", "key"), [("SIM PUK", "sim-puk"), ("SIM PIN2", "sim-pin")])
def test_what_a_sim_card_asks_for_by_modemmanager(lock: str, key: str) -> None:
    assert cause_of(Text("the SIM asks for {locks}", {"locks": lock}, domain="otppi_modem_modemmanager")) == key


@pytest.mark.parametrize(
    ("cause", "is_refusal"),
    [
        ("requested facility not subscribed (+CMS ERROR: 50)", True),
        ("Short message transfer rejected (+CMS ERROR: 21)", True),
        ("network out of order (+CMS ERROR: 38)", False),
        ("no modem may send it", False),
        ("", False),
    ],
)
def test_an_operator_that_refuses_a_message_is_told_with_what_to_do(cause: str, is_refusal: bool) -> None:
    assert refusal_said(cause) == (CAUSES["refused"] if is_refusal else None)


def test_names_and_amounts_are_told_where_they_are_known() -> None:
    busy = modem(state="blocked", detail=_("{path} is held by {named}", path="/dev/ttyUSB2", named="minicom (812)"))
    low = modem(balance_low=True, balance=4500.0, balance_limit=10000.0)
    (first,), (second,) = needs(NO_STATUS, [busy]), needs(NO_STATUS, [low])
    assert str(first.cause) == "Another program uses the port: minicom (812)."
    assert translated(first.cause, "id") == "Port dipakai program lain: minicom (812)."
    assert str(second.cause) == "Balance Rp 4,500, below the limit of Rp 10,000."
    assert translated(second.cause, "id") == "Pulsa Rp 4.500, di bawah batas Rp 10.000."


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, []),
        ({"state": "starting"}, []),
        ({"state": "recovering", "detail": "it was unplugged"}, []),
        ({"state": "recovering", "detail": _("no network: {registration}", registration="denied")}, ["no-network"]),
        ({"state": "absent", "detail": "it was unplugged"}, ["absent"]),
        ({"state": "blocked", "detail": "?"}, ["blocked"]),
        ({"state": "blocked", "detail": _("the SIM asks for {status}", status="SIM PUK")}, ["sim-puk"]),
        ({"unusable": _("daily quota is used up"), "balance_low": True}, ["daily-quota", "balance"]),
    ],
)
def test_the_needs_of_a_modem(values: dict[str, Any], found: list[str]) -> None:
    told = needs(NO_STATUS, [modem(**values)])
    assert causes(told) == found
    assert {(one.subject, one.link) for one in told} <= {("m 0", "/modems/show?modem=m%200")}


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, []),
        (LINK | {"last_problem": None}, []),
        (LINK | {"last_problem": _("username or password is wrong")}, ["login"]),
        (LINK | {"last_problem": _("nobody listens at port {port}", port=1883)}, ["unreachable"]),
        (LINK | {"connected": True, "last_problem": "before"}, []),
        ({"stalled": "it is slow"}, ["ingress"]),
        ({"state": "blocked until its settings are changed", "last_error": "port 80 is taken"}, ["ingress"]),
        ({"last_error": "before"}, []),
    ],
)
def test_the_needs_of_a_source(values: dict[str, Any], found: list[str]) -> None:
    assert causes(needs(NO_STATUS | {"ingresses": [ingress(**values)]}, [])) == found


def test_the_needs_of_the_device_come_once_and_strange_ones_as_they_are() -> None:
    warnings = [
        text("modem {modem}: its balance is low ({amount:,.2f})", modem="m0", amount=1.0),
        text("the clock of this device may be wrong: {reason}", reason="it says 1970"),
        "what a plugin says",
    ]
    told = needs(NO_STATUS | {"warnings": warnings, "power_supply": "under-voltage"}, [])
    assert causes(told) == ["power", "clock", ""]
    assert told[-1] == Need("", "what a plugin says")


def test_a_quota_leads_to_where_it_is_raised() -> None:
    (need,) = needs(NO_STATUS, [modem(unusable=_("daily quota is used up"))])
    assert need.setting == "/settings/modems/edit?_item=m%200#f-daily_quota"


def test_what_was_stopped_is_not_forgotten() -> None:
    stopped = NO_STATUS | {"ingresses": [ingress(state="stopped")]}
    found = needs(stopped, [modem(state="stopped")])
    assert [(one.subject, one.link) for one in found] == [
        ("m 0", "/services/start?service=modem%3Am%200"),
        ("MQTT", "/services/start?service=ingress-mqtt"),
    ]


def test_what_a_tile_tells_is_not_told_of_the_device_too() -> None:
    told = _("{name}: no connection to {server}: {last_problem}", name="x", server="y", last_problem=WRONG_LOGIN)
    assert needs(NO_STATUS | {"warnings": [told]}, []) == []
