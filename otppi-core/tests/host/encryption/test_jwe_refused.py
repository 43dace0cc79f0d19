"""Encrypted envelopes that are refused: with one sentence each, quickly, and whatever the octets are."""

import base64
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jwcrypto.jwk import JWK

from otppi.host.encryption.keys import EnvelopeKeys
from otppi.host.encryption.reader import ALGORITHMS, ENCRYPTIONS, EnvelopeReader
from otppi.host.encryption.settings import EncryptionValues
from otppi.wire.envelope import BODY_LIMIT, Envelope, parse
from otppi.wire.errors import EnvelopeError

PAIRS = [(alg, enc) for alg in ALGORITHMS for enc in ENCRYPTIONS]
OFF = "ingress-test"
NOT_REQUIRED: EncryptionValues = {"required_on": [], "keep_days": 30}


def b64(octets: bytes | str) -> str:
    raw = octets.encode() if isinstance(octets, str) else octets
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


# -- what is refused --------------------------------------------------------------------------------------------------

EPK = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}
HEADER: Mapping[str, Any] = {"alg": "ECDH-ES", "enc": "A128GCM", "epk": EPK}


def made(header: object, encrypted_key: str = "", iv: str = "A" * 16, text: str = "AAAA", tag: str = "A" * 22) -> bytes:
    head = header if isinstance(header, str) else b64(json.dumps(header))
    return f"{head}.{encrypted_key}.{iv}.{text}.{tag}".encode()


REFUSED_HEADERS: list[tuple[object, str]] = [
    # RFC 7516 A.1, A.2, A.3, and RFC 7520 5.3, 5.6, 5.7
    ({"alg": "RSA-OAEP", "enc": "A256GCM"}, "as alg: ECDH-ES, ECDH-ES+A128KW, ECDH-ES+A256KW"),
    ({"alg": "RSA1_5", "enc": "A128CBC-HS256"}, "as alg"),
    ({"alg": "A128KW", "enc": "A128CBC-HS256"}, "as alg"),
    ({"alg": "PBES2-HS512+A256KW", "p2s": "8Q1SzinasR3xchYz6ZZcHA", "p2c": 2**31, "enc": "A128CBC-HS256"}, "as alg"),
    ({"alg": "dir", "enc": "A128GCM"}, "as alg"),
    ({"alg": "A256GCMKW", "tag": "AA", "iv": "AA", "enc": "A128CBC-HS256"}, "as alg"),
    ({"alg": "none", "enc": "A128GCM"}, "as alg"),
    ({**HEADER, "alg": "ECDH-ES+A192KW"}, "as alg"),
    ({**HEADER, "alg": None}, "as alg"),
    ({**HEADER, "alg": ["ECDH-ES"]}, "as alg"),
    ({"enc": "A128GCM"}, "as alg"),
    ({**HEADER, "enc": "A192GCM"}, "as enc, in the protected header: A128GCM, A256GCM"),
    ({**HEADER, "enc": "none"}, "as enc"),
    ({**HEADER, "enc": {"A128GCM": 1}}, "as enc"),
    ({"alg": "ECDH-ES"}, "as enc"),
    ({**HEADER, "zip": "DEF"}, "must not be compressed"),
    ({**HEADER, "zip": None}, "must not be compressed"),
    ({**HEADER, "crit": ["exp"], "exp": 1}, "extension (crit)"),
    ({**HEADER, "crit": []}, "extension (crit)"),
    ({"alg": "ECDH-ES", "enc": "A128GCM"}, "ephemeral public key"),
    ({**HEADER, "epk": "x"}, "ephemeral public key"),
    ({**HEADER, "epk": {**EPK, "crv": "P-384"}}, "on the curve P-256"),
    ({**HEADER, "epk": {"kty": "OKP", "crv": "X25519", "x": "A" * 43}}, "on the curve P-256"),
    ({**HEADER, "epk": {"generate": "RSA", "size": 16384}}, "on the curve P-256"),
    ({**HEADER, "epk": {**EPK, "x": "A" * 44}}, "32 octets"),
    ({**HEADER, "epk": {**EPK, "y": 5}}, "32 octets"),
    ({**HEADER, "epk": {**EPK, "d": "A" * 43}}, "ephemeral private key away"),
    ({**HEADER, "apu": 5}, "apu or apv"),
    ({**HEADER, "apv": "a+b="}, "apv that is not base64url"),
    ({**HEADER, "kid": 5}, "kid that is not text"),
    ({**HEADER, "kid": None}, "kid that is not text"),
    ({**HEADER, "kid": "another"}, "key (kid) that this gateway does not have"),
    ([], "not an object"),
    ("eyJ", "not JSON"),
    (b64('{"alg": "ECDH-ES", "alg": "dir"}'), "not JSON"),
    (b64('{"alg": NaN}'), "not JSON"),
    (b64("[" * 4000), "not JSON"),
    (b64('{"a": ' + "1" * 5000 + "}"), "not JSON"),
    (b64(b"\xff\xfe{}"), "not JSON"),
    ("ey=", "not base64url"),
    ("ey+/", "not base64url"),
    ("ey\xff", "not base64url"),
    ("eyA" * 3000, "more than 8,192 characters"),
]


@pytest.mark.parametrize(("header", "says"), REFUSED_HEADERS, ids=lambda one: ascii(one)[:60])
def test_a_header_that_is_refused(sender: Any, reader: EnvelopeReader, header: object, says: str) -> None:
    assert says in sender.refusal(reader, made(header))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"eyJhbGciOiJIUzI1NiJ9.e30.AAAA", "looks like a JWS"),
        (b"eyJhbGciOiJIUzI1NiJ9", "five parts"),
        (made(HEADER) + b".", "five parts"),
        (made(HEADER) + b"." * 100_000, "five parts"),
        (b"....", "protected header that is not JSON"),
        (made(HEADER, encrypted_key="AAAA"), "none with that"),
        (made({**HEADER, "alg": "ECDH-ES+A128KW"}), "encrypted key with any alg"),
        (made({**HEADER, "alg": "ECDH-ES+A128KW"}, encrypted_key="A" * 500), "too long"),
        (made({**HEADER, "alg": "ECDH-ES+A128KW"}, encrypted_key="A" * 5), "encrypted key that is not base64url"),
        (made(HEADER, iv="A" * 22), "length is not that of its enc"),
        (made(HEADER, iv=""), "length is not that of its enc"),
        (made(HEADER, tag="A" * 16), "length is not that of its enc"),
        (made(HEADER, tag="A" * 21), "tag that is not base64url"),
        (made(HEADER, text="A B"), "ciphertext that is not base64url"),
        (made(HEADER), "cannot be decrypted with this gateway's key"),
    ],
    ids=lambda one: ascii(one)[:40],
)
def test_a_compact_one_that_is_refused(sender: Any, reader: EnvelopeReader, body: bytes, says: str) -> None:
    assert says in sender.refusal(reader, body)


JSON: Mapping[str, Any] = {"protected": b64(json.dumps(HEADER)), "iv": "A" * 16, "ciphertext": "AAAA", "tag": "A" * 22}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"protected": 1}, "protected as text"),
        ({"iv": None}, "iv as text"),
        ({"tag": ["x"]}, "tag as text"),
        ({"ciphertext": {}}, "ciphertext as text"),
        ({"aad": 1}, "aad as text"),
        ({"aad": "a="}, "aad that is not base64url"),
        ({"encrypted_key": 1}, "encrypted_key as text"),
        ({"header": []}, "header as an object"),
        ({"unprotected": "x"}, "unprotected as an object"),
        ({"unprotected": {"alg": "dir"}}, "the same parameter in two"),
        ({"header": {"zip": "DEF"}}, "compressed"),
        ({"unprotected": {"crit": ["x"]}}, "extension"),
        ({"recipients": {}}, "1 to 64 recipients"),
        ({"recipients": []}, "1 to 64 recipients"),
        ({"recipients": [{}] * 65}, "1 to 64 recipients"),
        ({"recipients": ["x"]}, "objects as recipients"),
        ({"recipients": [{}, {}]}, "must name the key (kid)"),
        ({"recipients": [{"header": {"kid": 1}}]}, "kid that is not text"),
        ({"recipients": [{"header": {"kid": "a"}}, {"header": {"kid": "b"}}]}, "does not have"),
        ({"recipients": [{}], "header": {}}, "recipients beside header"),
        ({"recipients": [{}], "encrypted_key": ""}, "recipients beside header"),
        ({"header": {"x": "y" * 20_000}}, "more than 8,192"),
        ({"more": "y" * 20_000}, "more than 8,192"),
        ({"protected": ""}, "not JSON"),
        ({"protected": b64("{}"), "unprotected": HEADER}, "as enc, in the protected header"),
        ({}, "cannot be decrypted"),
    ],
    ids=lambda one: ascii(one)[:40],
)
def test_one_in_json_that_is_refused(sender: Any, reader: EnvelopeReader, change: dict[str, Any], says: str) -> None:
    assert says in sender.refusal(reader, {**JSON, **change})


def test_of_all_that_does_not_decrypt_one_thing_is_told(reader: EnvelopeReader, sender: Any) -> None:
    """No oracle: whether key, key wrap, tag, padding or point is wrong."""
    stranger = type(sender)(JWK.generate(kty="EC", crv="P-256", kid=sender.key["kid"]))
    sentences = {sender.refusal(reader, stranger.compact(alg=alg, enc=enc)) for alg, enc in PAIRS}
    for alg, enc in PAIRS:
        whole = sender.flat(alg=alg, enc=enc)
        for name in ("iv", "ciphertext", "tag", "encrypted_key"):
            if name in whole:
                octets = bytearray(base64.urlsafe_b64decode(whole[name] + "=="))
                octets[-1] ^= 1
                sentences.add(sender.refusal(reader, {**whole, name: b64(bytes(octets))}))
        sentences.add(sender.refusal(reader, {**whole, "ciphertext": whole["ciphertext"][:-4]}))
        sentences.add(sender.refusal(reader, {**whole, "aad": "AAAA"}))
    assert len(sentences) == 1


def test_an_epk_never_has_the_library_make_a_key(
    reader: EnvelopeReader, sender: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """jwcrypto generates a key of any size where a JWK says so: RSA-16384 takes minutes."""
    whole = sender.compact().decode().split(".")
    header = json.loads(base64.urlsafe_b64decode(whole[0] + "=="))
    header["epk"] |= {"generate": "RSA", "size": 16384, "key_ops": ["sign"], "use": "sig"}
    monkeypatch.setattr(JWK, "generate_key", lambda *_, **__: pytest.fail("a key was made"))
    assert "cannot be decrypted" in sender.refusal(reader, made(b64(json.dumps(header)), whole[1]))


@pytest.mark.parametrize(
    "body",
    [
        made(HEADER, text="A" * (BODY_LIMIT - 1000)),
        json.dumps({**JSON, "recipients": [{"header": {"kid": f"{one}"}} for one in range(64)]}).encode(),
        json.dumps({**JSON, "aad": "A" * (BODY_LIMIT - 1000)}).encode(),
        b'{"ciphertext": ' + b"[" * (BODY_LIMIT - 100),
        b"." * BODY_LIMIT,
        b"A." * (BODY_LIMIT // 2),
        b"ey" + b"." * (BODY_LIMIT - 2),
        b" " * BODY_LIMIT,
    ],
    ids=lambda body: ascii(body[:24]),
)
def test_nothing_takes_long(reader: EnvelopeReader, body: bytes) -> None:
    started = time.process_time()
    with pytest.raises(EnvelopeError):
        reader.read(body, OFF)
    assert time.process_time() - started < 1.5


def test_damaged_keys_refuse_encrypted_envelopes_only(tmp_path: Path, sender: Any) -> None:
    (tmp_path / "encryption-keys.json").write_text("{")
    damaged = EnvelopeReader(EnvelopeKeys(tmp_path / "encryption-keys.json", lambda: 30), lambda: NOT_REQUIRED)
    assert "cannot read its keys" in sender.refusal(damaged, sender.compact())
    assert damaged.read(sender.TEXT, OFF) == parse(sender.TEXT)


def test_without_any_key_it_says_how_to_get_one(sender: Any, tmp_path: Path) -> None:
    reader = EnvelopeReader(EnvelopeKeys(tmp_path / "keys.json", lambda: 30), lambda: NOT_REQUIRED)
    assert "has no key yet" in sender.refusal(reader, made(HEADER))
    assert "does not have" in sender.refusal(reader, made({**HEADER, "kid": "x"}))
    assert not (tmp_path / "keys.json").exists()


# -- hostile octets ---------------------------------------------------------------------------------------------------

WORDS = (
    "protected unprotected header recipients iv ciphertext tag aad encrypted_key command kid alg enc epk zip crit apu "
    "kty crv x y d generate size p2c"
)
NAMES = st.sampled_from(WORDS.split())
SCRAPS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=8),
    st.sampled_from([*ALGORITHMS, *ENCRYPTIONS, "EC", "P-256", "A" * 43, "A" * 22, "A" * 16, b64(json.dumps(HEADER))]),
)
DOCUMENTS = st.recursive(
    SCRAPS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner), max_leaves=12
)


def survives(sender: Any, reader: EnvelopeReader, body: bytes) -> None:
    read = sender.outcome(lambda one: reader.read(one, OFF), body)
    assert isinstance(read, Envelope | tuple)
    assert read


@settings(max_examples=300)
@given(st.binary(max_size=300), st.sampled_from([b"", b"ey", b'{"ciphertext":', b'"ey', b"eyJ9....", b"...."]))
def test_any_octets(sender: Any, reader: EnvelopeReader, octets: bytes, before: bytes) -> None:
    survives(sender, reader, before + octets)


@settings(max_examples=100)
@given(DOCUMENTS, st.dictionaries(NAMES, DOCUMENTS, max_size=6))
def test_any_json(sender: Any, reader: EnvelopeReader, document: object, changes: dict[str, Any]) -> None:
    survives(sender, reader, json.dumps(document).encode())
    survives(sender, reader, json.dumps({**JSON, **changes}).encode())
    survives(sender, reader, made({**HEADER, **changes}))
    survives(sender, reader, made({**HEADER, "epk": {**EPK, **changes}}))


@settings(max_examples=300)
@given(st.data(), st.booleans())
def test_one_octet_changed_is_refused_or_harmless(
    reader: EnvelopeReader, sender: Any, data: st.DataObject, compact: bool
) -> None:
    """Harmless: the last bits of a base64url that no octet has, and a JSON member's order."""
    body = bytearray(sender.compact() if compact else json.dumps(sender.flat()).encode())
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    read = sender.outcome(lambda one: reader.read(one, OFF), bytes(body))
    assert read == parse(sender.TEXT) or isinstance(read, tuple)
