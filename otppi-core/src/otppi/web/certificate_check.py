"""Checks a certificate that somebody brings: `python -m otppi.web.certificate_check`, JSON on stdin and on stdout.

A process of its own, because the cryptography package would cost the gateway megabytes for something done once. The key
comes and goes by pipes.

In: `{"certificate": base64, "private_key": base64, "password": text, "now": Unix seconds}`; certificate and key are PEM
(RFC 7468), in one or in two parts, or DER, or both are a PKCS#12 (RFC 7292). Out: `{"pem": the certificate, those that
vouch for it in their order, and the key}`, or `{"field", "problem", "detail"}`.
"""

import base64
import datetime
import json
import sys
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)

_PEM: Final = b"-----BEGIN "
_KEY_END: Final = b"PRIVATE KEY-----"
_MOST: Final = 10
"""Certificates of a chain."""


class _Refused(Exception):  # noqa: N818 - it is an answer
    def __init__(self, field: str, problem: str, detail: str = "") -> None:
        super().__init__(problem)
        self.answer = {"field": field, "problem": problem, "detail": detail}


@dataclass
class _Brought:
    """What was found in the parts that were given."""

    certificates: list[x509.Certificate] = field(default_factory=list)
    key: PrivateKeyTypes | None = None


def checked(certificate: bytes, private_key: bytes, password: bytes | None, now: datetime.datetime) -> dict[str, str]:
    """Return the chain with its key as PEM, or what is wrong with it."""
    try:
        brought = _Brought()
        _read(certificate, "certificate", password, brought)
        if private_key:
            _read(private_key, "private_key", password, brought)
        chain, key = _in_order(brought)
        _check_time(chain, now)
    except _Refused as refused:
        return refused.answer
    pem = b"".join(one.public_bytes(Encoding.PEM) for one in chain)
    return {"pem": (pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())).decode()}


def _read(data: bytes, named: str, password: bytes | None, brought: _Brought) -> None:
    """Add what is in a part that was given."""
    if _PEM in data:
        _read_pem(data, named, password, brought)
        return
    if named == "private_key":
        brought.key = _key(data, named, password, pem=False)
        return
    try:
        brought.certificates.append(x509.load_der_x509_certificate(data))
    except ValueError:
        _read_pkcs12(data, named, password, brought)


def _read_pem(data: bytes, named: str, password: bytes | None, brought: _Brought) -> None:
    if b"-----BEGIN CERTIFICATE-----" in data:
        try:
            brought.certificates += x509.load_pem_x509_certificates(data)
        except ValueError:
            raise _Refused(named, "unreadable") from None
    if _KEY_END in data:
        brought.key = _key(data, named, password, pem=True)
    elif named == "private_key":
        raise _Refused(named, "no-key")


def _key(data: bytes, named: str, password: bytes | None, *, pem: bool) -> PrivateKeyTypes:
    load = load_pem_private_key if pem else load_der_private_key
    try:
        return load(data, None)
    except TypeError:  # it is encrypted
        if password is None:
            raise _Refused("password", "password-wanted") from None
    except (ValueError, UnsupportedAlgorithm):
        raise _Refused(named, "unreadable-key") from None
    try:
        return load(data, password)
    except (ValueError, UnsupportedAlgorithm):
        raise _Refused("password", "password-wrong") from None


def _read_pkcs12(data: bytes, named: str, password: bytes | None, brought: _Brought) -> None:
    if not data.startswith(b"\x30"):  # neither is a SEQUENCE (RFC 7292 4)
        raise _Refused(named, "unreadable")
    try:
        key, certificate, more = pkcs12.load_key_and_certificates(data, password)
    except ValueError:
        raise _Refused("password", "password-wanted" if password is None else "password-wrong") from None
    except UnsupportedAlgorithm:
        raise _Refused(named, "unreadable") from None
    brought.certificates += [*([certificate] if certificate else []), *more]
    brought.key = key or brought.key


def _in_order(brought: _Brought) -> tuple[list[x509.Certificate], Any]:
    """Return the certificate of the key, then who vouches for it, and so on, in whatever order they came."""
    if not brought.certificates:
        raise _Refused("certificate", "no-certificate")
    if len(brought.certificates) > _MOST:
        raise _Refused("certificate", "too-many", str(_MOST))
    if brought.key is None:
        raise _Refused("private_key", "no-key")
    own = _public(brought.key.public_key())
    chain = [one for one in brought.certificates if _public(one.public_key()) == own][:1]
    if not chain:
        raise _Refused("private_key", "key-does-not-fit", _called(brought.certificates[0]))
    left = [one for one in brought.certificates if one != chain[0]]
    while found := next((one for one in left if _vouches(one, chain[-1])), None):
        chain.append(found)
        left = [one for one in left if one != found]
    if left:
        raise _Refused("certificate", "not-in-chain", _called(left[0]))
    return chain, brought.key


def _vouches(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _check_time(chain: list[x509.Certificate], now: datetime.datetime) -> None:
    for one in chain:
        if one.not_valid_after_utc < now:
            detail = f"{_called(one)}, {one.not_valid_after_utc:%Y-%m-%d}"
            raise _Refused("certificate", "expired", detail)


def _public(key: Any) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


def _called(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()[:200]


def main() -> None:
    """Check what stdin has."""
    given = json.load(sys.stdin)
    password = str(given["password"]).encode() or None
    now = datetime.datetime.fromtimestamp(float(given["now"]), datetime.UTC)
    certificate, private_key = (base64.b64decode(given[name]) for name in ("certificate", "private_key"))
    json.dump(checked(certificate, private_key, password, now), sys.stdout)


if __name__ == "__main__":
    main()
