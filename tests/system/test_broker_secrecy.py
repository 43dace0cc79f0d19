"""No text, code, receiver or password that goes through a broker is anywhere in what the gateway writes, or answers."""

import base64
import http.client
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from otppi.host.durable.in_flight import InFlight
from otppi.host.durable.report import Report
from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.brokers.rabbitmq import RabbitMq
from otppi.testing.waiting import PATIENCE, until
from otppi.wire.envelope import BODY_LIMIT, malformed, parse
from otppi.wire.errors import EnvelopeError
from otppi.wire.gsm7 import encode, pack
from tests.system.all_ingresses import PASSWORDS, Brokers, Server, all_brokers
from tests.system.conftest import AUTHORIZATION, Gateway, modem

Start = Callable[..., Gateway]
MARK = "K0DE-RAHASIA"
"""In every text, so that looking for it finds them all."""
FOREIGN = "Kódé→räh€sia"
"""In some, for the ways in which JSON may write what is not ASCII."""
WRONG_PASSWORD = "S4LAH-DAN-RAHASIA-3391"
RECEIVERS = "0812739{:05}"
HIDDEN = "812739"
"""What all receivers have in common, and a mask hides a part of."""
BLOCKED = "081255000001"
_FORGETS = "wsmessagebroker"
"""The broker that keeps nothing for who is not there."""


def forms(text: str) -> list[bytes]:
    """Return the forms in which a text might leak, wherever in a longer one it stands."""
    raw = text.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), text.encode("utf-16-be"), text.encode("utf-16-le")}
    found |= {json.dumps(text)[1:-1].encode(), text.encode("unicode_escape"), repr(raw)[2:-1].encode()}
    found |= {text.encode("utf-16-be").hex().encode(), text.encode("utf-16-be").hex().upper().encode()}
    for before in range(3):  # Base64 at each of its three places; the letters at both ends depend on the neighbours
        letters = base64.b64encode(b"\0" * before + raw).rstrip(b"=")[2 if before == 1 else 3 if before else 0 : -1]
        found |= {letters, letters.replace(b"+", b"-").replace(b"/", b"_")}
    for before in range(8 if text.isascii() else 0):  # GSM-7 packed, at each place in an octet
        packed = pack(encode("@" * before + text))[before:-1]
        found |= {packed, packed.hex().encode(), packed.hex().upper().encode()}
    return sorted(found)


def assert_nowhere(files: dict[str, bytes], secrets: dict[str, str]) -> None:
    """Look for every secret in every form; `secrets` are named for the message."""
    for name, secret in secrets.items():
        for form in forms(secret):
            held = [where for where, content in files.items() if form in content]
            assert not held, f"{held} hold {name} as {form[:4]!r}…"


def written(gateway: Gateway) -> dict[str, bytes]:
    """Return all that the gateway has written; the provisioning file is the test's own."""
    folders = (gateway.folder, gateway.data, gateway.runtime)
    paths = {path for folder in folders for path in folder.rglob("*") if path.is_file()} - {gateway.provision}
    files = {str(path): path.read_bytes() for path in paths}
    notes = InFlight(gateway.data / "open", Report(gateway.data / "report", 12)).left_over()
    return files | {"the in-flight notes, unpacked": repr(notes).encode()}


def sms(number: int, text: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "receiver": RECEIVERS.format(number), "message": text, **more}


# -- malformed commands ------------------------------------------------------------------------------------------------


def envelopes() -> Iterator[dict[str, Any]]:
    """Make commands of every kind with the secret in each field whose value is wrong then, and as the name of some."""
    good = {
        "send-sms": sms(1, MARK),
        "send-mail": {"id": 1, "receiver": f"{MARK}@", "message": MARK, "subject": [MARK]},
        "request-otp": {"reference": "r", "receiver": RECEIVERS.format(1), "message": f"{MARK} %s %s"},
        "verify-otp": {"reference": [MARK], "otp": MARK},
        "request-ussd": {"modem_id": "m0", "ussd_code": [MARK]},
        "block-msisdn": {"receiver": MARK},
        MARK: {"message": MARK},
    }
    nested: tuple[Any, ...] = ([MARK], {MARK: MARK}, {"a": [MARK]}, [[[MARK]]])
    wrong = (*nested, f"{MARK}\0", f"{MARK}\ud800", MARK * 3000)
    fields = ("id", "receiver", "message", "date_time", "expiration", "priority", "flash", "otp", "reference", "param1")
    for command, data in good.items():
        yield {"command": command, "data": {**data, MARK: 1, "date_time": MARK}}
        yield {"command": command, "data": [data, MARK, {MARK: data}]}
        yield {"command": command, MARK: data}
        for field in fields:
            yield {"command": command, "data": {**data, "receiver": MARK, field: wrong[0]}}
    for value in wrong:
        for field in fields:
            yield {"command": "send-sms", "data": {**sms(1, MARK), "expiration": MARK, field: value}}
        yield {"command": value, "data": value}
        yield {"command": "send-sms", "data": value, "callback_delay": value}
        yield {"command": "send-sms", "data": {}, "callback_topic": value}


def malformed_bodies() -> Iterator[bytes]:
    """Return bodies that no ingress takes, each with the secret in it."""
    for envelope in envelopes():
        yield json.dumps(envelope).encode()
    whole = json.dumps({"command": "send-sms", "data": sms(1, f"{MARK} {FOREIGN}")}).encode()
    for cut in range(whole.index(MARK.encode()) + len(MARK), len(whole)):
        yield whole[:cut]
    foreign = json.dumps({"command": "send-sms", "data": [FOREIGN, MARK]}, ensure_ascii=False).encode()
    yield from (foreign, foreign[:-4], foreign.replace("é".encode(), b"\xe9"), b"\xff\xfe" + foreign, b"\0" + foreign)
    secret = MARK.encode()
    yield from (secret, b'"' + secret + b'"', b"[" + secret, b"{" + secret + b": 1}", b"'" + secret + b"'")
    yield b'{"command": "send-sms", "data": {"message": "' + secret + b'", "message": "' + secret + b'2"}}'
    yield b'{"command": "send-sms", "data": {"message": NaN, "receiver": ' + secret + b"}}"
    yield b'{"command": "send-sms", "data": {"message": "' + secret + b'", "id": Infinity}}'
    yield b"[" * 5000 + secret + b"]" * 5000
    yield b'{"data":' * 3000 + b'"' + secret + b'"' + b"}" * 3000
    yield b'{"command": "send-sms", "data": {"message": "' + secret + b" " * BODY_LIMIT + b'"}}'
    header = base64.urlsafe_b64encode(b'{"alg":"' + secret + b'","enc":"A256GCM"}').rstrip(b"=")
    yield from (header + b"." + secret + b".a.b.c", b"e30." + secret + b"." + secret + b".c.d")
    yield b'{"ciphertext": "' + secret + b'", "protected": "' + secret + b'", "recipients": [{"' + secret + b'": 1}]}'


def test_no_error_of_a_malformed_command_quotes_it() -> None:
    bodies, told = list(malformed_bodies()), {}
    for body in bodies:
        try:
            shown = parse(body)  # some are wrong only for who knows the numbering plan, and this shows in logs
        except EnvelopeError as error:
            flaws = [(flaw.field, flaw.reason) for flaw in error.errors]
            told[repr(body[-300:])] = malformed(error).to_json() + repr((error, str(error), flaws)).encode()
        else:
            assert shown.name != MARK
    assert len(told) > 0.9 * len(bodies)
    assert_nowhere(told, {"a text": MARK, "letters of a text": FOREIGN})


def test_the_forms_of_a_secret_are_found() -> None:
    """What this file looks for would be found."""
    text = f"Kode Anda {MARK}, {FOREIGN}."
    samples = [text.encode(), json.dumps(text).encode(), repr(text.encode()).encode(), text.encode("utf-16-le")]
    samples += [base64.b64encode(b"x" * before + text.encode()) for before in range(3)]
    samples += [(b"x" * before + text.encode()).hex().encode() for before in range(3)]
    plain = f"Kode Anda {MARK}."
    samples += [pack(encode("x" * before + plain)).hex().encode() for before in range(8)]
    for sample in samples:
        with pytest.raises(AssertionError, match="hold"):
            assert_nowhere({"sample": sample}, {"the text": MARK})
    for sample in samples[:4]:
        with pytest.raises(AssertionError, match="hold"):
            assert_nowhere({"sample": sample}, {"the letters": FOREIGN})


# -- everything through every ingress ----------------------------------------------------------------------------------


@pytest.fixture
def brokers(rabbitmq: RabbitMq, tmp_path: Path) -> Iterator[Brokers]:
    with all_brokers(rabbitmq, tmp_path / "brokers") as brokers:
        yield brokers


def use(gateway: Gateway, rack: ModemRack, server: Server, first: int) -> set[str]:
    """Send commands of every kind and of every fate by one ingress; return the codes that were made."""
    texts = texts_of(server.name)
    sent = server.ask("send-sms", sms(first, next(texts)))
    assert (sent["response_code"], sent["data"]["state"]) == ("0000", "sent")
    assert_answer(server, "send-sms", sms(first, f"{MARK} {server.name} 0"), "1201")
    data = [sms(first + 1, next(texts)), sms(first + 2, f"{next(texts)} {FOREIGN}"), sms(first + 3, next(texts) * 12)]
    assert_answer(server, "send-sms", data, "0000")
    refused = {
        "1102": sms(first + 4, next(texts), receiver=f"0899739{first:05}"),
        "1203": sms(first + 5, next(texts), expiration=1),
        "1204": sms(first + 6, next(texts), receiver=BLOCKED),
        "1206": sms(first + 7, next(texts) * 500),
    }
    for code, one in refused.items():
        assert_answer(server, "send-sms", one, code)
    mail = {"id": first, "receiver": f"{MARK}@example.org", "message": MARK, "expiration": int(time.time()) + 3}
    server.throw(server.envelope("send-mail", mail))  # is tried again until it expires
    assert_answer(server, "echo", {MARK: FOREIGN}, "0000")
    assert_answer(server, "request-ussd", {"modem_id": "good", "ussd_code": f"*123*{MARK}#"}, None)
    rack.modems[0].inject("result-lost-sent", times=1)
    assert_answer(server, "send-sms", sms(first + 8, next(texts)), "1207")
    codes = verify_codes(rack, server, first)
    server.throw(sealed(gateway, server.envelope("send-sms", sms(first + 9, next(texts)))))
    server.throw(sealed(gateway, MARK.encode()))
    return codes


def texts_of(name: str) -> Iterator[str]:
    number = 0
    while True:
        yield f"{MARK} {name} {number}"
        number += 1


def assert_answer(server: Server, command: str, data: Any, code: str | None) -> None:
    """Send a command, and wait for the answer to it among later states of others."""
    known = len(server.heard)
    server.throw(server.envelope(command, data))

    def is_it(answer: dict[str, Any]) -> bool:
        told = answer["data"]
        if isinstance(data, list) or isinstance(told, list):
            same = isinstance(data, list) and isinstance(told, list)
        else:
            same = "errors" in told or all(
                told.get(name) == str(data[name]) for name in ("id", "reference") if name in data
            )
        return same and answer["command"] == command and code in (None, answer["response_code"])

    def answered() -> bool:
        server.listen(0.2)
        return any(is_it(json.loads(one)) for one in server.heard[known:])

    until(answered, what=f"{server.name}: {command} is answered {code}; heard {server.heard[known:]}")


def verify_codes(rack: ModemRack, server: Server, first: int) -> set[str]:
    """Have codes made, and verify them wrongly and rightly."""
    codes = set()
    for number in (1, 2):
        data = {"reference": f"{server.name}-{number}", "receiver": RECEIVERS.format(first + 50 + number)}
        assert_answer(server, "request-otp", {**data, "message": f"{MARK} {server.name} ini %s !"}, "0000")
        (code,) = {
            found[1]
            for one in rack.network.messages
            if (found := re.search(rf"{server.name} ini (\w+) !", one.text)) and found[1] not in codes
        }
        codes.add(code)
        assert_answer(server, "verify-otp", {**data, "otp": f"{MARK}-SALAH"}, "1202")
        if number == 1:
            assert_answer(server, "verify-otp", {**data, "otp": code}, "0000")
    return codes


def sealed(gateway: Gateway, envelope: bytes) -> bytes:
    """Encrypt an envelope to the gateway's key."""
    with gateway.client() as client:
        key = JWK(**client.request("GET", "/api/keys")[1]["keys"][0])
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": key["kid"]}
    token: str = JWE(envelope, protected=header, recipient=key).serialize(compact=True)
    return token.encode()


def shown(gateway: Gateway) -> dict[str, bytes]:
    """Return what the gateway says of itself; the backup with secrets is what `--secrets` is for."""
    commands = ["status", "modem list", "settings export", "settings show", "doctor", "plugins", "usage", "inbox list"]
    told: dict[str, bytes] = {}
    for words in commands:
        done = gateway.cli(*words.split(), *(["--json"] if words == "settings show" else []))
        told[f"otppi {words}"] = (done.stdout + done.stderr).encode()
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=PATIENCE)
    for path in ("/api/health", "/metrics", "/api/openapi.json"):
        connection.request("GET", path, headers={"Authorization": AUTHORIZATION})
        told[path] = connection.getresponse().read()
    connection.close()
    assert b"ingress-redis" in told["otppi status"]
    assert b"otppi_" in told["/metrics"]
    return told


def break_passwords(gateway: Gateway, brokers: Brokers) -> None:
    """Let every connection be refused, and mend it again."""
    for password in (WRONG_PASSWORD, None):
        for name in brokers.servers:
            done = gateway.cli("settings", "set", f"ingress-{name}.password", "-", stdin=password or PASSWORDS[name])
            assert done.returncode == 0, done.stderr

        def all_are(connected: bool) -> bool:
            ingresses = json.loads(gateway.cli("status", "--json").stdout)["ingresses"]
            known = [ingress for ingress in ingresses if ingress["name"] != "ingress-rest"]
            return all(ingress.get("connected") is connected for ingress in known)

        until(lambda wanted=password is None: all_are(wanted), what="passwords are used")  # type: ignore[misc]


def test_no_secret_that_a_broker_brings_is_written_or_answered(start: Start, brokers: Brokers) -> None:
    sections: dict[str, Any] = {
        **brokers.sections,
        "otp": {"alphabet": "letters-digits", "code_length": 10, "resend_interval": 0},
        "rest": {"metrics_enable": True},
        # What waits at the kill is for the good modem, also where the bad one is ready first after it.
        "sms": {"fail_over": False},
    }
    codes: set[str] = set()
    with ModemRack(2, profile=ModemProfile(network_time=0.02)) as rack:
        rack.modems[1].inject("cms-error", code=1)
        modems = [
            modem(rack.paths[0], "good", result_timeout=5.0),  # for a result of each broker that never comes
            modem(rack.paths[1], "bad", recipient_prefixes=["62899"], default_modem=False),
        ]
        gateway = start(modems, **sections).until_ready()
        gateway.cli("block", "add", BLOCKED)
        until(lambda: _connected(gateway) == len(brokers.servers), what="all brokers are connected")
        for number, server in enumerate(brokers.servers.values(), 1):
            codes |= use(gateway, rack, server, 1000 * number)
            for body in list(malformed_bodies())[number::4]:
                server.throw(body)
            server.barrier()
        told = shown(gateway)
        break_passwords(gateway, brokers)
        crash(gateway, rack, brokers)
        gateway.stop()
    answers = {
        f"an answer by {name}": b"\n".join(one for one in server.heard if b'"echo"' not in one)  # which has it back
        for name, server in brokers.servers.items()
    }
    files = written(gateway)
    assert len(codes) == 2 * len(brokers.servers)
    secrets = {"a text": MARK, "letters of a text": FOREIGN, "a wrong password": WRONG_PASSWORD, "a receiver": HIDDEN}
    secrets |= {f"code {code}": code for code in codes}
    secrets |= {f"password of {name}": one for name, one in PASSWORDS.items()}
    settings = {name for name in files if Path(name).name.startswith("settings.json")}
    assert settings
    for name in settings:
        assert Path(name).stat().st_mode & 0o077 == 0
        assert_nowhere({name: files.pop(name)}, {"a text": MARK, "a receiver": HIDDEN})
    assert b"DEBUG" in files[str(gateway.log)]
    assert b"malformed" in files[str(gateway.log)]
    assert_nowhere(files | told, secrets)
    # Its own sender is told whom a message was for, as the original program does; nobody else is, and nothing more.
    assert_nowhere(answers, {name: secret for name, secret in secrets.items() if name != "a receiver"})


def _connected(gateway: Gateway) -> int:
    ingresses = json.loads(gateway.cli("status", "--json").stdout)["ingresses"]
    return sum(bool(ingress.get("connected")) for ingress in ingresses)


def crash(gateway: Gateway, rack: ModemRack, brokers: Brokers) -> None:
    """Kill the gateway while messages of every ingress wait, look at what it left, and start it again."""
    before = rack.network.message_count
    # The first is of a broker that keeps nothing: what the gateway has not taken in when it is killed is lost.
    for number, server in sorted(enumerate(brokers.servers.values(), 1), key=lambda one: one[1].name != _FORGETS):
        data = [sms(1000 * number + 100 + index, f"{MARK} {server.name} crash {index}") for index in range(20)]
        server.throw(server.envelope("send-sms", data))
        if server.name == _FORGETS:
            server.barrier()
    rack.network.wait_for(before + 5)
    gateway.kill()
    assert_nowhere(
        {name: content for name, content in written(gateway).items() if "settings.json" not in name},
        {"a text": MARK, "a receiver": HIDDEN},
    )
    gateway.start().until_ready()

    def arrived() -> Counter[str]:
        return Counter(one.text.split()[1] for one in rack.network.messages if " crash " in one.text)

    until(lambda: arrived().total() >= 20 * len(brokers.servers) - 1, what=lambda: f"all arrive, not only {arrived()}")
