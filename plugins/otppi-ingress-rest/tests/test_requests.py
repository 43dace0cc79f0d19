"""What a request may look like, and what it is answered: codes, credentials, waiting, the paths that are read."""

import base64
import json
from typing import Any

import pytest

from otppi.wire.envelope import Answer, ResponseCode


def basic(pair: bytes) -> str:
    return "Authorization: Basic " + base64.b64encode(pair).decode()


def first_field(answer: dict[str, Any]) -> str:
    return str(answer["data"]["errors"][0]["field"])


def test_an_answer_has_safe_headers_and_no_version_of_a_server(served: Any, http: Any) -> None:
    status, fields, _ = served.connect(http.post(http.SMS)).response()
    assert status == 200
    assert fields["server"] == "OTP-Pi"
    assert fields["x-content-type-options"] == "nosniff"
    assert fields["cache-control"] == "no-store"
    assert "default-src 'none'" in fields["content-security-policy"]


@pytest.mark.parametrize(
    "credentials",
    [
        "",
        "Authorization: Basic",
        "Authorization: Basic !!!",
        "Authorization: Basic dXNlcg==",
        "Authorization: Bearer",
        "Authorization: Bearer nonsense",
        "Authorization: Digest username=user",
        basic(b"user:wrong"),
        basic(b"nobody:password"),
        basic(b":"),
    ],
)
def test_bad_credentials(served: Any, http: Any, credentials: str) -> None:
    status, fields, body = served.connect(http.post(http.SMS, auth=credentials)).response()
    assert status == 401
    assert json.loads(body)["response_code"] == "1100"
    assert fields["www-authenticate"].startswith("Basic realm=")
    assert "Bearer" in fields["www-authenticate"]
    assert served.gateway.taken == []


@pytest.mark.parametrize(
    ("password", "octets"),
    [
        ("pass:wo:rd", b"pass:wo:rd"),
        ("pässwörd", "pässwörd".encode()),
        ("pässwörd", "pässwörd".encode("latin-1")),
        ("", b""),
    ],
)
def test_passwords_with_colons_and_beyond_ascii(served: Any, http: Any, password: str, octets: bytes) -> None:
    served.gateway.users["user"] = password
    assert served.ask(http.post(http.SMS, auth=basic(b"user:" + octets)))[0] == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_bearer_token(served: Any, http: Any, scheme: str) -> None:
    assert served.ask(http.post(http.SMS, auth=f"Authorization: {scheme} a-token-of-letters"))[0] == 200
    assert served.gateway.taken[0][1].sender.name == "token"


def test_throttled(served: Any, http: Any) -> None:
    served.gateway.limit = 0
    status, fields, body = served.connect(http.post(http.SMS)).response()
    assert (status, fields["retry-after"]) == (429, "8")
    assert json.loads(body)["response_code"] == "1208"


@pytest.mark.parametrize("code", ResponseCode)
def test_each_code_has_its_status(served: Any, http: Any, code: ResponseCode) -> None:
    served.gateway.answer = Answer("send-sms", code, data={"state": "failed", "retry_after": 3})
    status, fields, body = served.connect(http.post(http.SMS)).response()
    assert status == code.http_status
    assert json.loads(body)["response_code"] == code.value
    assert fields.get("retry-after") == ("3" if status in (429, 503) else None)


def test_a_list_that_is_partly_on_its_way_is_202(served: Any, http: Any) -> None:
    served.gateway.answer = Answer("send-sms", ResponseCode.SUCCESS, data=[{"state": "sent"}, {"state": "queued"}])
    assert served.ask(http.post(http.SMS))[0] == 202


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "{}", '"text"', '{"command": "fly"}', "\x00", "{" * 5000])
def test_bodies_that_are_no_command(served: Any, http: Any, body: str) -> None:
    status, answer = served.ask(http.post(body))
    assert (status, answer["response_code"]) == (400, "1206")
    assert answer["data"]["errors"]
    assert served.gateway.taken == []


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip", "x"])
def test_a_compressed_body_gets_415(served: Any, http: Any, coding: str) -> None:
    status, fields, body = served.connect(http.post(http.SMS, f"Content-Encoding: {coding}")).response()
    assert (status, fields["accept-encoding"]) == (415, "identity")
    assert json.loads(body)["data"]["errors"][0]["field"] == "Content-Encoding"
    assert served.gateway.taken == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_get_405(served: Any, http: Any, method: str) -> None:
    status, fields, body = served.connect(http.get("/api/message", method=method)).response(bodiless=method == "HEAD")
    assert (status, fields["allow"]) == (405, "POST, PUT")
    assert method == "HEAD" or json.loads(body)["response_code"] == "1206"


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/nothing", "/admin", "/api/messages", "/api/messages/a/b", "/metrics", "/%00"]
)
def test_unknown_paths_get_404(served: Any, http: Any, path: str) -> None:
    assert served.ask(http.get(path, http.BASIC))[0] == 404


@pytest.mark.parametrize("wait", ["-1", "61", "x", "", "1_0", "nan", "inf", "1&wait=2", "0x1", "%31%00", "99999999999"])
def test_bad_wait_is_named(served: Any, http: Any, wait: str) -> None:
    status, answer = served.ask(http.post(http.SMS, path=f"/api/message?wait={wait}"))
    assert (status, first_field(answer)) == (400, "wait")
    assert served.gateway.taken == []


def test_no_wait_answers_202_at_once_and_the_state_can_be_asked(served: Any, http: Any) -> None:
    served.gateway.hold = True
    status, answer = served.ask(http.post(http.SMS, path="/api/message?wait=0"))
    assert (status, answer["data"]["state"]) == (202, "queued")
    path = f"/api/messages/{answer['data']['message_id']}"
    status, answer = served.ask(http.get(path, http.BASIC))
    assert (status, answer["data"]["state"]) == (200, "queued")
    served.gateway.release()
    assert served.ask(http.get(path, http.BASIC))[1]["data"]["state"] == "sent"
    assert served.ask(http.get(path))[0] == 401
    assert served.ask(http.get(path, "Authorization: Bearer a-token-of-letters"))[0] == 404


@pytest.mark.parametrize("wait", ["", "?wait=30", "?other=1&wait=2.5e1"])
def test_the_answer_waits_for_the_final_state(served: Any, http: Any, wait: str) -> None:
    served.gateway.hold = True
    wire = served.connect(http.post(http.SMS, path=f"/api/message{wait}"))
    http.eventually(lambda: len(served.gateway.tickets) == 1)
    served.gateway.release()
    status, answer = wire.answer()
    assert (status, answer["data"]["state"]) == (200, "sent")


def test_the_wait_ends(served: Any, http: Any) -> None:
    served.gateway.hold = True
    assert served.ask(http.post(http.SMS, path="/api/message?wait=0.1"))[0] == 202


def test_health(served: Any, http: Any) -> None:
    status, _, body = served.connect(http.get("/api/health")).response()
    assert (status, json.loads(body)) == (200, {"status": "ok", "version": "1.2.3"})
    _, _, body = served.connect(http.get("/api/health", http.BASIC)).response()
    assert json.loads(body)["modems"] == {"m0": "ready"}
    assert served.ask(http.get("/api/health", "Authorization: Bearer nonsense"))[0] == 401
    served.gateway.status = "down"
    assert served.connect(http.get("/api/health")).response()[0] == 503


def test_head_is_get_without_the_body(served: Any, http: Any) -> None:
    wire = served.connect(http.get("/api/health", method="HEAD") + http.get("/api/health"))
    _, fields, _ = wire.response(bodiless=True)
    status, again, body = wire.response()
    assert (status, fields["content-length"], len(body)) == (200, again["content-length"], int(again["content-length"]))


def test_metrics_are_off_and_can_be_switched_on(served: Any, serve: Any, http: Any) -> None:
    assert served.ask(http.get("/metrics", http.BASIC))[0] == 404
    measured = serve(metrics_enable=True)
    assert measured.ask(http.get("/metrics"))[0] == 401
    status, fields, body = measured.connect(http.get("/metrics", http.BASIC)).response()
    assert (status, fields["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    lines = body.decode().splitlines()
    assert "# TYPE otppi_messages_total counter" in lines
    assert 'otppi_messages_total{state="sent",ingress="ingress-rest"} 3' in lines
    assert 'otppi_messages_total{kind="failed"} 2' in lines
    assert 'otppi_messages_total{kind="od\\"d\\n"} 1' in lines
    assert "otppi_queue_length 0" in lines
    assert {"otppi_rest_connections 1", "otppi_rest_connections 2"} & set(lines)


def test_a_fault_of_ours_is_500_without_a_word_of_the_text(served: Any, http: Any, caplog: Any) -> None:
    served.gateway.fault = RuntimeError("OTP Anda adalah 1234")
    status, answer = served.ask(http.post(http.SMS))
    assert (status, answer["response_code"]) == (500, "1207")
    assert "1234" not in json.dumps(answer)
    assert "submit" in caplog.text
    assert "1234" not in caplog.text
    served.gateway.fault = None
    assert served.ask(http.post(http.SMS))[0] == 200


def test_when_all_threads_wait_more_requests_are_refused_and_then_served_again(serve: Any, http: Any) -> None:
    served = serve(max_threads=3)
    served.gateway.hold = True
    waiting = [served.connect(http.post(http.SMS)) for _ in range(3)]
    http.eventually(lambda: len(served.gateway.tickets) == 3)
    refused = served.connect()
    http.eventually(lambda: served.connect(http.get("/api/health")).response()[0] == 503)
    status, fields, body = refused.send(http.post(http.SMS)).response()
    assert (status, json.loads(body)["response_code"]) == (503, "1205")
    assert int(fields["retry-after"]) > 0
    served.gateway.release()
    assert [wire.answer()[0] for wire in waiting] == [200] * 3
    served.gateway.hold = False
    assert served.ask(http.post(http.SMS))[0] == 200


@pytest.mark.parametrize(
    ("state", "status"), [("finished", 200), ("reply-wanted", 200), ("queued", 202), ("sending", 202)]
)
def test_request_ussd_is_passed_on_and_answered(served: Any, http: Any, state: str, status: int) -> None:
    data = {"modem_id": "m0", "session": "0123", "state": state, "text": "Pulsa Rp10.000", "reply_wanted": False}
    served.gateway.answer = Answer("request-ussd", ResponseCode.SUCCESS, data=data)
    request = {"command": "request-ussd", "data": {"modem_id": "m0", "ussd_code": "1", "session": "0123"}}
    assert served.ask(http.post(request, path="/api/ussd")) == (
        status,
        {"command": "request-ussd", "response_code": "0000", "response_text": "Done", "data": data},
    )
    item = served.gateway.taken[0][0].items[0]
    assert (item.modem_id, item.ussd_code, item.session) == ("m0", "1", "0123")
