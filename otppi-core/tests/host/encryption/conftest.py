"""A gateway's keys, its reader, and senders that encrypt to it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from otppi.host.encryption.keys import EnvelopeKeys
from otppi.host.encryption.reader import EnvelopeReader
from otppi.wire.envelope import Envelope
from otppi.wire.errors import EnvelopeError

SECRET = "OTP Anda adalah 918273"
ENVELOPE: dict[str, Any] = {
    "command": "send-sms",
    "data": {"id": 123456, "receiver": "08126666666", "message": SECRET},
    "callback_topic": "answers",
}
REQUIRED = "ingress-required"


class Sender:
    """One who encrypts envelopes to the gateway's key, with jwcrypto."""

    SECRET = SECRET
    TEXT = json.dumps(ENVELOPE).encode()

    def __init__(self, key: JWK) -> None:
        self.key = key

    def compact(self, text: bytes = TEXT, alg: str = "ECDH-ES+A256KW", enc: str = "A256GCM", **more: Any) -> bytes:
        return self._token(text, alg, enc, more).serialize(compact=True).encode()  # type: ignore[no-any-return]

    def flat(self, text: bytes = TEXT, alg: str = "ECDH-ES+A256KW", enc: str = "A256GCM") -> dict[str, Any]:
        """A JWE in flattened JSON, to be changed."""
        document: dict[str, Any] = json.loads(self._token(text, alg, enc, {}).serialize())
        return document

    @staticmethod
    def refusal(reader: EnvelopeReader, body: bytes | dict[str, Any]) -> str:
        """Have a body refused; give the one sentence about it."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        with pytest.raises(EnvelopeError) as caught:
            reader.read(raw, "ingress-test")
        (error,) = caught.value.errors
        assert error.field == "body"
        assert caught.value.__cause__ is None
        return error.reason

    @staticmethod
    def outcome(read: Callable[[bytes], Envelope], body: bytes) -> object:
        """What was read, or every error; nothing but an EnvelopeError may be raised, and none quotes."""
        try:
            return read(body)
        except EnvelopeError as error:
            return error.errors if SECRET not in f"{error!r} {error.errors}" else "it quotes the text"

    def _token(self, text: bytes, alg: str, enc: str, more: dict[str, Any]) -> JWE:
        return JWE(text, protected={"alg": alg, "enc": enc, "kid": self.key["kid"], **more}, recipient=self.key)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> EnvelopeKeys:
    return EnvelopeKeys(tmp_path_factory.mktemp("keys") / "encryption-keys.json", lambda: 30)


@pytest.fixture(scope="module")
def sender(keys: EnvelopeKeys) -> Sender:
    return Sender(JWK(**keys.jwk_set()["keys"][0]))


@pytest.fixture(scope="module")
def reader(keys: EnvelopeKeys) -> EnvelopeReader:
    return EnvelopeReader(keys, lambda: {"required_on": [REQUIRED], "keep_days": 30})
