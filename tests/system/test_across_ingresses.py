"""One gateway, every ingress: a message's life is the same, and known to all of them, whichever it came by."""

import itertools
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.brokers.messenger import Messenger
from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.rabbitmq import RabbitMq
from otppi.testing.waiting import until
from tests.system.application_servers import ApplicationServer, Mqtt, Rabbit, Rest, Ws
from tests.system.conftest import WENT_OUT, Gateway, modem

NAMES = ("rest", "rabbitmq", "mqtt", "wsmessagebroker")
BROKERS = NAMES[1:]
PAIRS = list(itertools.permutations(NAMES, 2))
SECRET = "rahasia"
"""A word of every text, which must stand nowhere but on the phone."""

_numbers = itertools.count(1)


class Site:
    """The gateway, its modem, and an application server on each ingress."""

    def __init__(self, gateway: Gateway, rack: ModemRack, servers: dict[str, ApplicationServer]) -> None:
        self.gateway = gateway
        self.rack = rack
        self.servers = servers

    def arrived(self, text: str) -> int:
        """Count the messages of this text on all phones."""
        return sum(message.text == text for message in self.rack.network.messages)


@pytest.fixture(scope="module")
def site(rabbitmq: RabbitMq, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, virtual_host = tmp_path_factory.mktemp("across"), "across"
    rabbitmq.manage("PUT", f"vhosts/{virtual_host}")
    rabbitmq.manage("PUT", f"permissions/{virtual_host}/guest", configure=".*", write=".*", read=".*")
    with (
        ModemRack(profile=ModemProfile(network_time=0.05)) as rack,
        Mosquitto(folder / "mosquitto") as mosquitto,
        Messenger(users={"app": "password"}, documented=True) as messenger,
    ):
        sections: dict[str, Any] = {
            Rabbit.key: Rabbit.settings(rabbitmq, virtual_host),
            Mqtt.key: Mqtt.settings(mosquitto),
            Ws.key: Ws.settings(messenger),
            "otp": {"verifier": "anyone"},
        }
        (folder / "gateway").mkdir()
        gateway = Gateway(folder / "gateway", [modem(rack.paths[0])], **sections)
        try:
            gateway.start().until_ready()
            until(
                lambda: all(ingress.get("connected") for ingress in ingresses_of(gateway)),
                what="all brokers are connected",
            )
            with (
                Rest(gateway) as rest,
                Rabbit(rabbitmq, virtual_host) as rabbit,
                Mqtt(mosquitto) as mqtt,
                Ws(messenger) as ws,
            ):
                yield Site(gateway, rack, dict(zip(NAMES, (rest, rabbit, mqtt, ws), strict=True)))
                gateway.stop()
        finally:
            gateway.close()
    rabbitmq.manage("DELETE", f"vhosts/{virtual_host}")


def ingresses_of(gateway: Gateway) -> list[dict[str, Any]]:
    """Ask the gateway how its connections to brokers are."""
    shown: dict[str, Any] = json.loads(gateway.cli("status", "--json").stdout)
    return [ingress for ingress in shown["ingresses"] if ingress["name"] != Rest.key]


def fresh() -> tuple[int, str, str]:
    """Invent an id, a receiver and a text that no other test has."""
    number = next(_numbers)
    return number, f"0812555{number:04}", f"{SECRET} {number}"


# -- duplicates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_the_same_message_by_two_ways_is_sent_once(site: Site, one: str, other: str) -> None:
    number, receiver, text = fresh()
    first = site.servers[one].send(number, receiver, text)
    assert first["response_code"] == "0000"
    assert first["data"]["state"] in WENT_OUT
    second = site.servers[other].send(str(number), "+62" + receiver[1:], text)
    assert second["response_code"] == "0000", "no sender learns that another one sent the same"
    assert second["data"]["message_id"] != first["data"]["message_id"]
    assert second["data"]["state"] in WENT_OUT
    assert site.arrived(text) == 1


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(NAMES, 2)))
def test_the_same_message_by_two_ways_at_once_is_sent_once(site: Site, one: str, other: str) -> None:
    number, receiver, text = fresh()
    with ThreadPoolExecutor(2) as servers:
        answers = list(servers.map(lambda name: site.servers[name].send(number, receiver, text), (one, other)))
    assert [answer["response_code"] for answer in answers] == ["0000", "0000"]
    assert len({answer["data"]["message_id"] for answer in answers}) == 2
    assert all(answer["data"]["state"] in WENT_OUT for answer in answers)
    assert site.arrived(text) == 1


def test_the_same_list_by_all_ways_at_once_is_sent_once(site: Site) -> None:
    items = [fresh() for _ in range(10)]
    data = [{"id": number, "receiver": receiver, "message": text} for number, receiver, text in items]
    with ThreadPoolExecutor(len(NAMES)) as servers:
        answers = list(servers.map(lambda name: site.servers[name].command("send-sms", data), NAMES))
    for index, (_, _, text) in enumerate(items):
        told = [answer["data"][index] for answer in answers]
        assert {one["response_code"] for one in told} == {"0000"}
        assert {one["state"] for one in told} <= set(WENT_OUT)
        assert site.arrived(text) == 1


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_another_id_receiver_or_text_is_another_message(site: Site, one: str, other: str) -> None:
    number, receiver, text = fresh()
    _, another_receiver, another_text = fresh()
    first = site.servers[one].send(number, receiver, text)
    answers = [
        site.servers[other].send(f"{number}-b", receiver, text),
        site.servers[other].send(number, another_receiver, text),
        site.servers[other].send(number, receiver, another_text),
    ]
    assert [answer["response_code"] for answer in [first, *answers]] == ["0000"] * 4
    assert (site.arrived(text), site.arrived(another_text)) == (3, 1)


# -- blocking ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_what_one_way_blocks_is_refused_by_all_until_another_unblocks_it(site: Site, name: str) -> None:
    number, receiver, text = fresh()
    others = [other for other in NAMES if other != name]
    blocked = site.servers[name].command("block-msisdn", {"receiver": receiver})
    assert (blocked["response_code"], blocked["data"]["blocked"]) == ("0000", True)
    for other in NAMES:
        answer = site.servers[other].send(number, "62" + receiver[1:], text)
        assert (answer["response_code"], answer["data"]["state"]) == ("1204", "blocked")
    unblocked = site.servers[others[0]].command("unblock-msisdn", {"msisdn": "+62" + receiver[1:]})
    assert (unblocked["response_code"], unblocked["data"]["blocked"]) == ("0000", False)
    assert site.arrived(text) == 0
    answer = site.servers[others[-1]].send(number, receiver, text)
    assert answer["response_code"] == "0000"
    assert answer["data"]["state"] in WENT_OUT
    assert site.arrived(text) == 1


# -- expiry ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", ["expiration", "date_time"])
def test_what_is_too_late_is_not_sent_by_any_way(site: Site, name: str, field: str) -> None:
    number, receiver, text = fresh()
    past = int(time.time()) - (1 if field == "expiration" else 3600)
    answer = site.servers[name].send(number, receiver, text, **{field: past})
    assert (answer["response_code"], answer["data"]["state"]) == ("1203", "expired")
    assert site.arrived(text) == 0


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_what_one_way_brought_too_late_another_may_bring_anew(site: Site, one: str, other: str) -> None:
    number, receiver, text = fresh()
    assert site.servers[one].send(number, receiver, text, expiration=int(time.time()) - 1)["response_code"] == "1203"
    assert site.servers[other].send(number, receiver, text)["response_code"] == "0000"
    assert site.arrived(text) == 1


@pytest.mark.parametrize("name", NAMES)
def test_what_waits_until_it_is_too_late_is_told_so(site: Site, name: str) -> None:
    number, receiver, text = fresh()
    long = [fresh() for _ in range(30)]  # more than a second of work
    data = [{"id": one, "receiver": other, "message": words, "priority": "otp"} for one, other, words in long]
    with ThreadPoolExecutor(1) as server:
        before = server.submit(site.servers["rest" if name != "rest" else "mqtt"].command, "send-sms", data)
        until(lambda: site.arrived(long[0][2]))
        answer = site.servers[name].send(number, receiver, text, expiration=int(time.time()) + 1)
        assert answer["response_code"] in ("1203", "1205")
        if answer["response_code"] == "1205":
            assert answer["data"]["state"] in ("expired", "failed")
        assert {one["response_code"] for one in before.result()["data"]} == {"0000"}
    assert site.arrived(text) == 0


# -- callbacks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_later_state_comes_by_the_same_way(site: Site, name: str) -> None:
    number, receiver, text = fresh()
    first = site.servers[name].send(number, receiver, text)["data"]
    later = site.servers[name].later()["data"]
    assert (first["state"], later["state"]) == ("sent", "delivered")
    assert (later["message_id"], later["modem_id"]) == (first["message_id"], "m0")
    assert abs(later["discharged"] - time.time()) < 60


@pytest.mark.parametrize("name", BROKERS)
def test_echo(site: Site, name: str) -> None:
    thing = {"a": [1, "é", None], "b": {"c": True}}
    answer = site.servers[name].command("echo", thing)
    assert (answer["command"], answer["response_code"], answer["data"]) == ("echo", "0000", {"echo": thing})


@pytest.mark.parametrize("name", BROKERS)
def test_get_modem_list(site: Site, name: str) -> None:
    answer = site.servers[name].command("get-modem-list")
    assert (answer["command"], answer["response_code"]) == ("get-modem-list", "0000")
    assert [(one["modem_id"], one["state"]) for one in answer["data"]["modems"]] == [("m0", "ready")]
    original = answer["data"]["modem_list"]["m0"]
    assert (original["id"], original["connected"], original["defaultModem"]) == ("m0", True, True)


@pytest.mark.parametrize("name", BROKERS)
def test_request_ussd(site: Site, name: str) -> None:
    server = site.servers[name]
    answer = server.command("request-ussd", {"id": 5, "modem_id": "m0", "ussd_code": "*123#"})
    assert (answer["response_code"], answer["data"]["text"]) == ("0000", "Balance: 10000")
    menu = server.command("request-ussd", {"modem_id": "m0", "ussd_code": "*100#"})["data"]
    assert menu["reply_wanted"] is True
    reply = {"modem_id": "m0", "ussd_code": "1", "session": menu["session"]}
    assert server.command("request-ussd", reply)["data"]["text"] == "Balance: 10000"
    assert server.command("request-ussd", {"modem_id": "m9", "ussd_code": "*123#"})["response_code"] == "1101"


@pytest.mark.parametrize("name", BROKERS)
def test_a_ussd_session_is_its_senders_alone(site: Site, name: str) -> None:
    menu = site.servers["rest"].command("request-ussd", {"modem_id": "m0", "ussd_code": "*100#"})["data"]
    reply = {"modem_id": "m0", "ussd_code": "1", "session": menu["session"]}
    assert site.servers[name].command("request-ussd", reply)["response_code"] != "0000"
    assert site.servers["rest"].command("request-ussd", reply)["data"]["text"] == "Balance: 10000"


# -- one-time passwords ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_code_that_one_way_requests_another_verifies_once(site: Site, one: str, other: str) -> None:
    number, receiver, text = fresh()
    data = {"id": number, "reference": f"login-{number}", "receiver": receiver, "message": f"{text}: %s."}
    asked = site.servers[one].command("request-otp", data)
    assert asked["response_code"] == "0000"
    assert asked["data"]["state"] in WENT_OUT
    (message,) = [one for one in site.rack.network.messages if one.text.startswith(f"{text}:")]
    found = re.search(r"(\d{6})\.", message.text)
    assert found
    code = found[1]
    assert code not in json.dumps(asked)

    def verify(name: str, otp: str) -> str:
        check = {"reference": f"login-{number}", "receiver": receiver, "otp": otp}
        return str(site.servers[name].command("verify-otp", check)["response_code"])

    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    assert verify(other, wrong) == "1202"
    assert verify(other, code) == "0000"
    assert verify(one, code) == "1202", "once"


# -- bad input ---------------------------------------------------------------------------------------------------------

BAD = [b"", b"{", b"\xff\xfe", b"[]", b'"text"', b'{"command": "nothing"}', b"{" * 5_000, b"\x00" * 100, b"null"]


@pytest.mark.parametrize("name", NAMES)
def test_bad_payloads_do_no_harm(site: Site, name: str) -> None:
    server = site.servers[name]
    for body in BAD:
        server.throw(body)
    number, receiver, text = fresh()
    assert server.send(number, receiver, text)["response_code"] == "0000"
    assert site.arrived(text) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_field_is_named(site: Site, name: str) -> None:
    number, _, text = fresh()
    answer = site.servers[name].command("send-sms", {"id": number, "receiver": True, "message": text})
    assert (answer["response_code"], answer["command"]) == ("1206", "send-sms")
    assert answer["data"]["errors"] == [{"field": "data.receiver", "reason": "must be text or a whole number"}]


@pytest.mark.parametrize("name", NAMES)
def test_a_list_tells_of_each_message(site: Site, name: str) -> None:
    (good, receiver, text), (bad, blocked, unsent) = fresh(), fresh()
    site.servers["rest"].command("block-msisdn", {"receiver": blocked})
    data = [
        {"id": good, "receiver": receiver, "message": text},
        {"id": bad, "receiver": blocked, "message": unsent},
    ]
    answer = site.servers[name].command("send-sms", data)
    assert [one["response_code"] for one in answer["data"]] == ["0000", "1204"]
    assert [one["id"] for one in answer["data"]] == [str(good), str(bad)]
    assert answer["response_code"] == "1204"
    assert (site.arrived(text), site.arrived(unsent)) == (1, 0)


# -- what is left behind -----------------------------------------------------------------------------------------------


def test_nothing_is_left_on_the_way_and_no_text_anywhere(site: Site) -> None:
    """The last test of this file."""

    def idle() -> bool:
        return all(
            (ingress["in_flight"], ingress["callbacks_waiting"]) == (0, 0) for ingress in ingresses_of(site.gateway)
        )

    until(idle, what="everything is settled and told")
    for ingress in ingresses_of(site.gateway):
        assert ingress["callbacks_dropped"] == 0
        assert ingress["malformed"] > 0, "the bad payloads of this file"
    with site.gateway.client() as client:
        assert client.request("GET", "/api/health")[1]["status"] == "ok"
    site.gateway.whole_log()
    written = [site.gateway.log, *(path for path in site.gateway.data.rglob("*") if path.is_file())]
    written += [path for path in site.gateway.runtime.rglob("*") if path.is_file()]
    assert len(written) > 3
    for path in written:
        assert SECRET.encode() not in path.read_bytes(), path
    texts = [message.text for message in site.rack.network.messages]
    assert sum(SECRET in text for text in texts) > 100
