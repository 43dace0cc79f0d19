"""The paths of the public key, and that bodies are read by the gateway, which opens encrypted ones."""

import json
import logging
from typing import Any

import pytest

from otppi.api.errors import OtpPiError
from otppi.wire.errors import EnvelopeError, FieldError
from otppi_ingress_rest.settings import SECTION

ROTATE = "/api/keys/rotate"


def test_anybody_gets_the_public_key(served: Any, http: Any) -> None:
    status, fields, body = served.connect(http.get("/api/keys")).response()
    assert (status, fields["content-type"]) == (200, "application/jwk-set+json")
    assert fields["cache-control"] == "public, max-age=300"
    assert [key["kty"] for key in json.loads(body)["keys"]] == ["EC"]
    status, fields, _ = served.connect(http.get("/api/keys", method="HEAD")).response(bodiless=True)
    assert (status, fields["content-length"]) == (200, str(len(body)))


def test_a_user_who_may_replaces_it(served: Any, http: Any) -> None:
    before = json.loads(served.connect(http.get("/api/keys")).response()[2])
    status, answer = served.ask(http.post("", path=ROTATE))
    assert (status, answer["command"], answer["response_code"]) == (200, "rotate-keys", "0000")
    assert answer["data"] == json.loads(served.connect(http.get("/api/keys")).response()[2]) != before
    assert served.ask(http.post("{}", path=ROTATE + "/"))[0] == 200
    assert served.gateway.rotated == 2


def test_others_may_not(served: Any, http: Any) -> None:
    served.gateway.managers.clear()
    status, fields, body = served.connect(http.post("", path=ROTATE)).response()
    answer = json.loads(body)
    assert (status, answer["response_code"], answer["response_text"]) == (403, "1100", "This user may not do that")
    assert answer["data"] == {"cause": "user may not"}
    assert "www-authenticate" not in fields
    for credentials in ("", "Authorization: Basic dXNlcjpubw==", "Authorization: Bearer nonsense"):
        assert served.ask(http.post("", path=ROTATE, auth=credentials))[0] == 401
    assert served.gateway.rotated == 0


@pytest.mark.parametrize(("path", "allowed"), [("/api/keys", "GET, HEAD"), (ROTATE, "POST")])
def test_methods(served: Any, http: Any, path: str, allowed: str) -> None:
    status, fields, _ = served.connect(http.get(path, http.BASIC, method="DELETE")).response()
    assert (status, fields["allow"]) == (405, allowed)
    assert served.ask(http.get("/api/keys/other"))[0] == 404


@pytest.mark.parametrize("fault", [OtpPiError("damaged: see /var/lib/x"), OSError(28, "No space", "/var/lib/x")])
def test_keys_that_cannot_be_used(served: Any, http: Any, fault: Exception, caplog: pytest.LogCaptureFixture) -> None:
    served.gateway.key_fault = fault
    for request in (http.get("/api/keys"), http.post("", path=ROTATE)):
        status, answer = served.ask(request)
        assert (status, answer["response_code"]) == (500, "1102")
        assert answer["data"]["cause"].endswith("the log of the gateway says why")
        assert "/var/lib" not in json.dumps(answer)
    assert len([one for one in caplog.records if one.levelno == logging.ERROR]) == 2


def test_every_body_is_read_by_the_gateway(served: Any, http: Any) -> None:
    def read(body: bytes, ingress: str) -> Any:
        raise EnvelopeError([FieldError("body", f"is {len(body)} octets on {ingress}")])

    served.gateway.read = read
    status, answer = served.ask(http.post("eyJ.a.b.c.d", "Content-Type: application/jose"))
    assert (status, answer["response_code"]) == (400, "1206")
    assert answer["data"]["errors"] == [{"field": "body", "reason": "is 11 octets on ingress-rest"}]


def test_no_path_of_settings_may_hide_them() -> None:
    for path in ("/api/keys", ROTATE):
        _, problems = SECTION.validate({"message_path": path})
        assert [problem.field for problem in problems] == ["ingress-rest.message_path"]
