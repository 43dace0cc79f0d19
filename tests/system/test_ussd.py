"""USSD from an HTTP request to the modem and back, and nothing of it in anything that is written."""

from collections.abc import Callable

from otppi.simulator import ModemProfile, ModemRack, ScriptedUssdAnswer, UssdForm
from otppi.testing.waiting import until
from tests.system.conftest import WENT_OUT, Gateway, modem

Start = Callable[..., Gateway]
SECRET = "Sisa pulsa rahasia Rp77.123"
SCRIPT = {
    "*771#": ScriptedUssdAnswer(SECRET, delay=0.2),
    "*772#": ScriptedUssdAnswer(f"1 {SECRET}", mode=1, replies={"1": ScriptedUssdAnswer(SECRET)}),
}


def test_request_ussd(start: Start) -> None:
    with ModemRack(profile=ModemProfile(ussd=SCRIPT, ussd_form=UssdForm.GSM7_HEX)) as rack:
        gateway = start([modem(rack.paths[0], balance_ussd="*772#>1", balance_low=100_000)]).until_ready()
        with gateway.client() as client:
            status, answer = client.command("request-ussd", {"id": 1, "modem_id": "m0", "ussd_code": "*771#"})
            assert (status, answer["response_code"]) == (200, "0000")
            assert answer["data"]["text"] == SECRET
            status, answer = client.command("request-ussd", {"modem_id": "m0", "ussd_code": "*772#"}, "?wait=0")
            assert status == 202
            session = answer["data"]["session"]
            until(lambda: client.message(session)["state"] == "reply-wanted")
            reply = {"modem_id": "m0", "ussd_code": "1", "session": session}
            status, answer = client.command("request-ussd", reply)
            assert (status, answer["data"]["text"], answer["data"]["reply_wanted"]) == (200, SECRET, False)
            status, answer = client.command("request-ussd", {"modem_id": "m9", "ussd_code": "*771#"})
            assert (status, answer["response_code"]) == (503, "1101")
            status, answer = client.command("request-ussd", {"modem_id": "m0", "ussd_code": "pulsa"})
            assert (status, answer["data"]["errors"][0]["field"]) == (400, "data.ussd_code")
            rack.modems[0].inject("ussd-refused", times=1)
            status, answer = client.command("request-ussd", {"modem_id": "m0", "ussd_code": "*771#"})
            assert (status, answer["response_code"]) == (502, "1102")
            read = gateway.cli("balance", "--now", "--json")
            assert '"balance": 77123.0' in read.stdout
            health = client.request("GET", "/api/health")[1]
            assert health["warnings"] == ["modem m0: its balance is low (77,123.00)"]
        gateway.stop()
    for path in [gateway.log, *gateway.data.rglob("*"), *gateway.runtime.rglob("*")]:
        if path.is_file():
            content = path.read_bytes()
            assert b"rahasia" not in content, path
            assert b"*771#" not in content, path


def test_the_pin_of_a_person_opens_the_modem_at_once(start: Start) -> None:
    with ModemRack(profile=ModemProfile(pin="7391")) as rack:
        gateway = start([modem(rack.paths[0])])
        until(lambda: b"is blocked: the SIM asks for its PIN" in gateway.log.read_bytes())
        assert gateway.cli("sim", "enter-pin", "m0", stdin="1111\n").returncode == 1
        assert gateway.cli("sim", "enter-pin", "m0", stdin="7391\n").returncode == 0
        with gateway.until_ready().client() as client:
            assert client.send(1, "08126666666", "text")[1]["data"]["state"] in WENT_OUT
        gateway.stop()
    assert b"7391" not in gateway.log.read_bytes()
