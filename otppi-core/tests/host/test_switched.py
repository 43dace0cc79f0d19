"""What a person stops stays stopped until it is started: no message is lost, and settings change nothing of that."""

import json
import threading
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings, NotPermitted, NotSupported
from otppi.api.operations import Actor, Role
from otppi.host.host import Host
from otppi.host.parts import registry_of
from otppi.host.runtime.registry import COMMAND_LINE, Registry
from otppi.testing.bench import ORIGIN
from otppi.testing.scripted import ScriptedModem, until
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import ResponseCode, parse

OPERATOR = Actor("oki", "administration", Role.OPERATOR)
VIEWER = Actor("vera", "administration", Role.VIEWER)


class Person:
    """Asks a gateway for operations, as an operator."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.registry: Registry = registry_of(host.data, host)

    def call(self, name: str, **arguments: Any) -> Any:
        return self.registry.call(name, arguments, OPERATOR)

    def change(self, document: object) -> None:
        self.registry.call("settings_import", {"document": document}, COMMAND_LINE)

    def state(self, service: str) -> str:
        return next(str(one["state"]) for one in self.call("services") if one["service"] == service)

    def until(self, service: str, state: str) -> None:
        until(lambda: self.state(service) == state, lambda: f"{service} is {self.state(service)}")

    def send(self, number: int, wait: float = 0.0) -> dict[str, Any]:
        body = {"command": "send-sms", "data": {"receiver": "081234567890", "message": "a text", "id": str(number)}}
        answer = self.host.gateway.submit(parse(json.dumps(body).encode()), ORIGIN).answer(wait)
        assert isinstance(answer.data, dict)
        return {"code": answer.code, **answer.data}

    def message(self, message_id: str) -> str:
        return self.host.dispatch.records.get(message_id).state.value  # type: ignore[union-attr]  # it was taken in


@pytest.fixture
def person(host: Host) -> Person:
    return Person(host)


def modems(*names: str, **more: Any) -> dict[str, Any]:
    return {"modems": [{"name": name, "type": "scripted", **more} for name in names]}


def stopped_while_sending(person: Person, doubles: Any) -> tuple[ScriptedModem, list[str]]:
    """Have the only modem stopped while it sends the first of three messages; return their ids."""
    person.change(modems("m0"))
    person.until("modem:m0", "ready")
    modem: ScriptedModem = doubles.modems[-1]
    modem.gate.clear()
    sent = [str(person.send(number)["message_id"]) for number in (1, 2, 3)]
    until(modem.sending.is_set)
    stopping = threading.Thread(target=lambda: person.call("service_stop", service="modem:m0"))
    stopping.start()
    until(lambda: person.host.dispatch.workers()[0].held)
    modem.gate.set()
    stopping.join(PATIENCE)
    assert person.state("modem:m0") == "stopped"
    assert [person.message(one) for one in sent] == ["sent", "queued", "queued"]
    return modem, sent


def test_what_waits_for_a_modem_is_sent_when_it_is_started(person: Person, doubles: Any) -> None:
    modem, sent = stopped_while_sending(person, doubles)
    assert person.send(4)["code"] is ResponseCode.NO_MODEM
    assert person.call("services")[0]["waiting"] == 2
    assert person.host.gateway.health()["queued"] == 2
    person.call("service_start", service="modem:m0")
    until(lambda: [person.message(one) for one in sent] == ["sent"] * 3)
    assert modem.opened == 2


def test_what_waits_stays_over_changes_of_settings_and_of_the_name(person: Person, doubles: Any) -> None:
    _modem, sent = stopped_while_sending(person, doubles)
    person.change(modems("m0", speed=2.0))
    assert person.state("modem:m0") == "stopped"
    person.host.dispatch._sweep()
    assert [person.message(one) for one in sent] == ["sent", "queued", "queued"], "it was given up"
    person.call("service_start", service="modem:m0")
    until(lambda: [person.message(one) for one in sent] == ["sent"] * 3)
    person.call("service_stop", service="modem:m0")
    person.registry.call("settings_set", {"path": "modems.m0.name", "value": "m1"}, COMMAND_LINE)
    assert person.state("modem:m1") == "stopped"
    person.call("service_start", service="modem:m1")
    person.until("modem:m1", "ready")


def test_another_modem_takes_what_waits(person: Person, doubles: Any) -> None:
    person.change(modems("m0", "m1"))
    person.until("modem:m0", "ready")
    person.until("modem:m1", "ready")
    person.call("service_stop", service="modem:m0")
    sent = [person.send(number, wait=60.0) for number in (1, 2, 3)]
    assert [(one["state"], one["modem_id"]) for one in sent] == [("sent", "m1")] * 3
    assert person.host.gateway.health()["status"] == "ok"


def test_an_ingress_stays_stopped_whatever_its_settings_become(person: Person, doubles: Any) -> None:
    until(lambda: doubles.ingresses and doubles.ingresses[-1].running.is_set())
    told = person.call("service_stop", service="ingress-test")
    assert told["state"] == "stopped"
    assert not doubles.ingresses[-1].running.is_set()
    [described] = person.call("status")["ingresses"]
    assert (described["state"], described["last_error"]) == ("stopped", None)
    person.change({"ingress-test": {"port": 8081}})
    assert len(doubles.ingresses) == 1
    assert person.call("service_stop", service="ingress-test")["stopped"], "twice does no harm"
    person.call("service_start", service="ingress-test")
    until(lambda: len(doubles.ingresses) == 2 and doubles.ingresses[-1].running.is_set())
    assert doubles.ingresses[-1].describe() == {"port": 8081}
    assert person.state("ingress-test") == "running"


def test_an_ingress_that_settings_switch_off_and_on_is_started(person: Person, doubles: Any) -> None:
    person.call("service_stop", service="ingress-test")
    person.change({"ingress-test": {"enable": False}})
    assert [one["service"] for one in person.call("services")] == ["modem:scripted"]
    person.change({"ingress-test": {"enable": True}})
    person.until("ingress-test", "running")


def test_a_restart_makes_an_ingress_anew(person: Person, doubles: Any) -> None:
    until(lambda: doubles.ingresses and doubles.ingresses[-1].running.is_set())
    assert person.call("service_restart", service="ingress-test")["stopped"] is False
    until(lambda: len(doubles.ingresses) == 2 and doubles.ingresses[-1].running.is_set())


def test_who_may(person: Person) -> None:
    for operation in ("service_stop", "service_start", "service_restart"):
        with pytest.raises(NotPermitted):
            person.registry.call(operation, {"service": "ingress-test"}, VIEWER)
    with pytest.raises(NotPermitted):
        person.call("restart")
    with pytest.raises(InvalidSettings, match="no such service"):
        person.call("service_stop", service="modem:m7")
    with pytest.raises(NotSupported, match="does not start it again"):
        person.registry.call("restart", {}, COMMAND_LINE)


def test_it_is_in_the_audit(person: Person) -> None:
    person.call("service_stop", service="ingress-test")
    newest = person.registry.call("audit", {}, COMMAND_LINE)[0]
    assert (newest["operation"], newest["subject"], newest["outcome"]) == ("service_stop", "ingress-test", "done")
