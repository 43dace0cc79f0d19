"""Envelopes that come in encrypted: every form and algorithm that is taken, and plain ones as ever."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from otppi.host.encryption.keys import EnvelopeKey, EnvelopeKeys
from otppi.host.encryption.reader import ALGORITHMS, ENCRYPTIONS, EnvelopeReader, _find
from otppi.host.encryption.settings import EncryptionValues
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import BODY_LIMIT, Command, parse
from otppi.wire.errors import EnvelopeError

SECRET = "OTP Anda adalah 918273"
TEXT = json.dumps(
    {
        "command": "send-sms",
        "data": {"id": 123456, "receiver": "08126666666", "message": SECRET},
        "callback_topic": "answers",
    }
).encode()
PAIRS = [(alg, enc) for alg in ALGORITHMS for enc in ENCRYPTIONS]
ON, OFF = "ingress-required", "ingress-test"
NOT_REQUIRED: EncryptionValues = {"required_on": [], "keep_days": 30}


def b64(octets: bytes | str) -> str:
    raw = octets.encode() if isinstance(octets, str) else octets
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


# -- what is opened ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("alg", "enc"), PAIRS)
def test_every_pair_of_algorithms_in_every_form(reader: EnvelopeReader, sender: Any, alg: str, enc: str) -> None:
    general = JWE(
        TEXT, protected={"alg": alg, "enc": enc, "kid": sender.key["kid"]}, recipient=sender.key, flattened=False
    )
    forms = [
        sender.compact(alg=alg, enc=enc),
        json.dumps(sender.flat(alg=alg, enc=enc)).encode(),
        general.serialize().encode(),
    ]
    assert b'"recipients"' in forms[2]
    for form in forms:
        assert reader.read(form, ON) == parse(TEXT)


def test_what_node_encrypts(reader: EnvelopeReader, keys: EnvelopeKeys) -> None:
    """A second implementation of all of them, with apu, apv and an epk as WebCrypto writes it."""
    asked = {"jwk": keys.jwk_set()["keys"][0], "text": TEXT.decode(), "wanted": PAIRS}
    oracle = Path(__file__).with_name("jwe_oracle.mjs")
    made = subprocess.run(["node", oracle], input=json.dumps(asked), capture_output=True, text=True, timeout=PATIENCE)
    assert made.stderr == ""
    for pair, one in zip(PAIRS, json.loads(made.stdout), strict=True):
        assert reader.read(one.encode(), ON) == parse(TEXT), pair


BOB = EnvelopeKey(
    "Bob",
    0.0,
    None,
    "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
    "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
    "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw",
)
ALICE = {
    "kty": "EC",
    "crv": "P-256",
    "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
    "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
}


def opened_by(folder: Path, key: EnvelopeKey, body: bytes) -> bytes:
    keys = EnvelopeKeys(folder / "encryption-keys.json", lambda: 30)
    keys._write([key])
    found = _find(body)
    assert found
    return EnvelopeReader(keys, lambda: NOT_REQUIRED)._open(found)


def test_the_key_agreement_of_rfc_7518_appendix_c(tmp_path: Path) -> None:
    derived = base64.urlsafe_b64decode("VqqN6vgjbSBcIijNcacQGg==")
    header = {"alg": "ECDH-ES", "enc": "A128GCM", "apu": "QWxpY2U", "apv": "Qm9i", "epk": ALICE}
    protected = b64(json.dumps(header))
    text = AESGCM(derived).encrypt(b"i" * 12, TEXT, protected.encode())
    body = f"{protected}..{b64(b'i' * 12)}.{b64(text[:-16])}.{b64(text[-16:])}".encode()
    assert opened_by(tmp_path, BOB, body) == TEXT


@pytest.mark.parametrize(
    "more", [{"ext": True, "key_ops": []}, {"use": "enc"}, {"kid": "x", "alg": "ECDH-ES"}, {"x5t": 1}]
)
def test_an_epk_may_say_more_than_its_point(tmp_path: Path, more: dict[str, Any]) -> None:
    """As WebCrypto exports one (RFC 7518 4.6.1.1: other parameters may be there)."""
    derived = base64.urlsafe_b64decode("VqqN6vgjbSBcIijNcacQGg==")
    header = {"alg": "ECDH-ES", "enc": "A128GCM", "apu": "QWxpY2U", "apv": "Qm9i", "epk": {**ALICE, **more}}
    protected = b64(json.dumps(header))
    text = AESGCM(derived).encrypt(b"i" * 12, TEXT, protected.encode())
    body = f"{protected}..{b64(b'i' * 12)}.{b64(text[:-16])}.{b64(text[-16:])}".encode()
    assert opened_by(tmp_path, BOB, body) == TEXT


def test_additional_data_that_are_empty_count(tmp_path: Path) -> None:
    """They add a dot to what is authenticated (RFC 7516 5.1, 14)."""
    derived = base64.urlsafe_b64decode("VqqN6vgjbSBcIijNcacQGg==")
    header = {"alg": "ECDH-ES", "enc": "A128GCM", "apu": "QWxpY2U", "apv": "Qm9i", "epk": ALICE}
    protected = b64(json.dumps(header))
    text = AESGCM(derived).encrypt(b"i" * 12, TEXT, f"{protected}.".encode())
    whole = {
        "protected": protected,
        "iv": b64(b"i" * 12),
        "ciphertext": b64(text[:-16]),
        "tag": b64(text[-16:]),
        "aad": "",
    }
    assert opened_by(tmp_path, BOB, json.dumps(whole).encode()) == TEXT


def test_the_example_of_rfc_7520_5_5(tmp_path: Path) -> None:
    key = EnvelopeKey(
        "meriadoc.brandybuck@buckland.example",
        0.0,
        None,
        "Ze2loSV3wrroKUN_4zhwGhCqo3Xhu1td4QjeQ5wIVR0",
        "HlLtdXARY_f55A3fnzQbPcm6hgr34Mp8p-nuzQCE0Zw",
        "r_kHyZ-a06rmxM3yESK84r1otSg-aQcVStkRhA-iCM8",
    )
    parts = {
        "protected": "eyJhbGciOiJFQ0RILUVTIiwia2lkIjoibWVyaWFkb2MuYnJhbmR5YnVja0BidWNrbGFuZC5leGFtcGxlIiwiZXBrIjp7Imt0"
        "eSI6IkVDIiwiY3J2IjoiUC0yNTYiLCJ4IjoibVBVS1RfYkFXR0hJaGcwVHBqanFWc1AxclhXUXVfdndWT0hIdE5rZFlvQSIsInkiOiI4QlFB"
        "c0ltR2VBUzQ2ZnlXdzVNaFlmR1RUMElqQnBGdzJTUzM0RHY0SXJzIn0sImVuYyI6IkExMjhDQkMtSFMyNTYifQ",
        "iv": "yc9N8v5sYyv3iGQT926IUg",
        "ciphertext": "BoDlwPnTypYq-ivjmQvAYJLb5Q6l-F3LIgQomlz87yW4OPKbWE1zSTEFjDfhU9IPIOSA9Bml4m7iDFwA-1ZXvHteLDtw4R"
        "1XRGMEsDIqAYtskTTmzmzNa-_q4F_evAPUmwlO-ZG45Mnq4uhM1fm_D9rBtWolqZSF3xGNNkpOMQKF1Cl8i8wjzRli7-IXgyirlKQsbhhqRz"
        "kv8IcY6aHl24j03C-AR2le1r7URUhArM79BY8soZU0lzwI-sD5PZ3l4NDCCei9XkoIAfsXJWmySPoeRb2Ni5UZL4mYpvKDiwmyzGd65KqVw7"
        "MsFfI_K767G9C9Azp73gKZD0DyUn1mn0WW5LmyX_yJ-3AROq8p1WZBfG-ZyJ6195_JGG2m9Csg",
        "tag": "WCCkNa-x4BeB9hIDIfFuhg",
    }
    compact = f"{parts['protected']}..{parts['iv']}.{parts['ciphertext']}.{parts['tag']}".encode()
    for body in (compact, json.dumps(parts).encode()):
        text = opened_by(tmp_path, key, body).decode()
        assert text.startswith("You can trust us to stick with you through thick and thin\u2013to the bitter end.")
        assert text.endswith("We are your friends, Frodo.")


@pytest.mark.parametrize("around", ["{}", '"{}"', "\ufeff{}", " \r\n{}\n", '\ufeff "{}" '], ids=ascii)
def test_what_clients_put_around_a_compact_one(reader: EnvelopeReader, sender: Any, around: str) -> None:
    assert reader.read(around.format(sender.compact().decode()).encode(), ON) == parse(TEXT)


def test_json_may_be_pretty_and_have_members_that_nobody_knows(reader: EnvelopeReader, sender: Any) -> None:
    body = json.dumps({"more": [1], **sender.flat()}, indent=4).encode()
    assert reader.read(b"\xef\xbb\xbf \n" + body, ON) == parse(TEXT)


def test_parameters_in_any_of_the_three_headers_and_aad(reader: EnvelopeReader, sender: Any) -> None:
    token = JWE(
        TEXT,
        protected={"enc": "A128GCM"},
        unprotected={"alg": "ECDH-ES+A128KW", "jku": "https://192.0.2.1/never-fetched"},
        aad=b"more",
    )
    token.add_recipient(sender.key, header={"kid": sender.key["kid"]})
    assert reader.read(token.serialize().encode(), ON) == parse(TEXT)


def test_without_a_kid_each_key_is_tried(reader: EnvelopeReader, keys: EnvelopeKeys, sender: Any) -> None:
    header = {"alg": "ECDH-ES", "enc": "A128GCM"}
    body = JWE(TEXT, protected=header, recipient=sender.key).serialize(compact=True).encode()
    assert reader.read(body, ON) == parse(TEXT)
    keys.rotate("a test")
    assert reader.read(body, ON) == parse(TEXT)


def test_a_fleet_opens_what_is_for_all_of_it(reader: EnvelopeReader, sender: Any, tmp_path: Path) -> None:
    fleet = [EnvelopeKeys(tmp_path / f"{number}.json", lambda: 30) for number in range(3)]
    token = JWE(TEXT, protected={"enc": "A256GCM"})
    for one in fleet:
        other = JWK(**one.jwk_set()["keys"][0])
        token.add_recipient(other, header={"alg": "ECDH-ES+A128KW", "kid": other["kid"]})
    body = token.serialize().encode()
    for one in fleet:
        assert EnvelopeReader(one, lambda: NOT_REQUIRED).read(body, ON) == parse(TEXT)
    assert "does not have" in sender.refusal(reader, body)


# -- what is in it ----------------------------------------------------------------------------------------------------


def test_the_flaws_that_senders_have_are_taken_here_too(reader: EnvelopeReader, sender: Any) -> None:
    body = b'{\n\t"command": "block-msisdn",\n\t"data": {\n\t\t"receiver": "08126666666",\n\t}\n}'
    assert reader.read(sender.compact(body), ON) == parse(body)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (b'{"command": "send-sms", "data": {}, "callback_topic": "t"}', ["data.receiver", "data.message"]),
        (b'{"command": "send-sms", "data": {"receiver": "0812", "receiver": "0813"}}', ["data.receiver"]),
        (b'{"command": "fly"}', ["command", "data"]),
        (b"[]", ["body"]),
        (b"", ["body"]),
        (b"\xff", ["body"]),
    ],
)
def test_what_is_wrong_inside_is_named(reader: EnvelopeReader, sender: Any, text: bytes, fields: list[str]) -> None:
    with pytest.raises(EnvelopeError) as caught:
        reader.read(sender.compact(text), ON)
    assert [error.field for error in caught.value.errors] == fields
    assert caught.value.callback_topic == ("t" if b"topic" in text else None)


def test_a_jwe_in_a_jwe_is_not_opened(reader: EnvelopeReader, sender: Any) -> None:
    assert "is not valid JSON" in sender.refusal(reader, sender.compact(sender.compact()))


def test_echo_sends_nothing_back_that_came_encrypted(reader: EnvelopeReader, sender: Any) -> None:
    text = json.dumps({"command": "echo", "data": {"secret": SECRET}}).encode()
    envelope = reader.read(sender.compact(text), ON)
    assert (envelope.command, envelope.data) == (Command.ECHO, {"encrypted": True})
    assert SECRET not in repr(envelope)


# -- plain ones -------------------------------------------------------------------------------------------------------

PLAIN = [
    TEXT,
    b"\xef\xbb\xbf\n " + TEXT,
    b'{"command": "echo", "data": {"ciphertext": "x", "protected": "y"}}',
    b'{"ciphertext": "x", "command": "echo"}',
    b'{"command": "send-sms", "data": {"receiver": "0812", "message": "\\"ciphertext\\" e.y.J.x.x"}}',
    b"",
    b" ",
    b"\xff\xfe",
    b"{",
    b"null",
    b"true",
    b"1.5",
    b'"text"',
    b'"',
    b'""',
    b"[" * 10_000,
    b'{"ciphertext": ',
    b'{"ciphertext": "x", "ciphertext": "y"}',
    b'["ciphertext"]',
    b" " * (BODY_LIMIT + 1),
    b'{"ciphertext": "' + b"A" * BODY_LIMIT + b'"}',
    b"eyJ" + b"A" * BODY_LIMIT,
]


class NoKeys(EnvelopeKeys):
    """Whoever asks for one fails the test."""

    def matching(self, kid: str | None) -> list[Any]:
        raise AssertionError("nothing was encrypted")


@pytest.mark.parametrize("body", PLAIN, ids=lambda body: ascii(body[:30]))
def test_anything_else_is_read_as_ever(sender: Any, tmp_path: Path, body: bytes) -> None:
    reader = EnvelopeReader(NoKeys(tmp_path / "none", lambda: 0), lambda: NOT_REQUIRED)
    assert sender.outcome(lambda one: reader.read(one, ON), body) == sender.outcome(parse, body)
    assert not (tmp_path / "none").exists()


def test_where_encryption_is_required_a_plain_one_is_refused_and_answered(reader: EnvelopeReader, sender: Any) -> None:
    with pytest.raises(EnvelopeError) as caught:
        reader.read(TEXT, ON)
    assert [error.field for error in caught.value.errors] == ["body"]
    assert "must be encrypted (JWE) on ingress-required" in str(caught.value)
    assert (caught.value.command, caught.value.callback_topic) == ("send-sms", "answers")
    assert SECRET not in str(caught.value)
    assert reader.read(TEXT, OFF) == parse(TEXT)
    assert reader.read(sender.compact(), ON) == parse(TEXT)
