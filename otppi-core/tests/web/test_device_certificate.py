"""The device's certificate: one that is brought is checked and used at once, one step back, and its key stays here."""

import datetime
import ipaddress
import ssl
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from otppi.api.errors import OtpPiError
from otppi.kit.files import new_name
from otppi.web import certificate as own
from otppi.web import own_certificate
from otppi.web.certificate_check import checked
from otppi.web.certificate_facts import facts_of
from otppi.web.device_certificate import BEFORE, TAKEN, DeviceCertificate, NothingBefore, check

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Made:
    """A certificate that a test made, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def key_pem(self, password: bytes = b"") -> bytes:
        protection = BestAvailableEncryption(password) if password else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)

    def p12(self, password: bytes, more: Sequence["Made"] = ()) -> bytes:
        protection = BestAvailableEncryption(password)
        chain = [one.certificate for one in more]
        return pkcs12.serialize_key_and_certificates(b"x", self.key, self.certificate, chain, protection)


def made(
    name: str,
    issuer: Made | None = None,
    *,
    ends: datetime.datetime = NOW + 90 * DAY,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
) -> Made:
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(NOW, ends) - DAY)
        .not_valid_after(ends)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("192.0.2.7"))]), False
        )
    )
    return Made(builder.sign(key if issuer is None else issuer.key, hashes.SHA256()), key)


@pytest.fixture(scope="module")
def root() -> Made:
    return made("Root of Tests")


@pytest.fixture(scope="module")
def middle(root: Made) -> Made:
    return made("Middle of Tests", root)


@pytest.fixture(scope="module")
def leaf(middle: Made) -> Made:
    return made("otp.shop.example", middle)


def subjects(pem: str) -> list[str]:
    return [one.subject.rfc4514_string() for one in x509.load_pem_x509_certificates(pem.encode())]


CHAIN = ["CN=otp.shop.example", "CN=Middle of Tests", "CN=Root of Tests"]


def test_what_is_brought_in_whatever_form_comes_out_in_order(leaf: Made, middle: Made, root: Made) -> None:
    forms: list[tuple[bytes, bytes, bytes | None]] = [
        (leaf.pem + middle.pem + root.pem, leaf.key_pem(), None),
        (root.pem + leaf.pem + middle.pem + leaf.key_pem(), b"", None),
        (leaf.key_pem() + middle.pem + leaf.pem + root.pem, b"", b"not needed"),
        (middle.pem + root.pem + leaf.pem, leaf.key_pem(b"geheim"), b"geheim"),
        (leaf.p12(b"geheim", [root, middle]), b"", b"geheim"),
    ]
    for certificate, key, password in forms:
        found = checked(certificate, key, password, NOW)
        assert subjects(found["pem"]) == CHAIN, found
        assert found["pem"].count("PRIVATE KEY") == 2
        assert "ENCRYPTED" not in found["pem"]
    der = leaf.certificate.public_bytes(Encoding.DER)
    key_der = leaf.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert subjects(checked(der, key_der, None, NOW)["pem"]) == CHAIN[:1]


def test_what_is_wrong_is_told_by_its_field(leaf: Made, middle: Made, root: Made) -> None:
    old = made("old.example", ends=NOW - DAY)
    cases: list[tuple[tuple[bytes, bytes, bytes | None], tuple[str, str]]] = [
        ((b"nonsense", b"", None), ("certificate", "unreadable")),
        ((b"\x30\x03\x02\x01\x01", b"", b"x"), ("password", "password-wrong")),
        ((b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", leaf.key_pem(), None),
         ("certificate", "unreadable")),
        ((leaf.key_pem(), b"", None), ("certificate", "no-certificate")),
        ((leaf.pem, b"", None), ("private_key", "no-key")),
        ((leaf.pem, middle.pem, None), ("private_key", "no-key")),
        ((leaf.pem, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", None),
         ("private_key", "unreadable-key")),
        ((leaf.pem, b"\x00\x01", None), ("private_key", "unreadable-key")),
        ((leaf.pem, root.key_pem(), None), ("private_key", "key-does-not-fit")),
        ((leaf.pem + root.pem, leaf.key_pem(), None), ("certificate", "not-in-chain")),
        ((old.pem, old.key_pem(), None), ("certificate", "expired")),
        ((leaf.pem, leaf.key_pem(b"geheim"), None), ("password", "password-wanted")),
        ((leaf.pem, leaf.key_pem(b"geheim"), b"falsch"), ("password", "password-wrong")),
        ((leaf.p12(b"geheim"), b"", None), ("password", "password-wanted")),
        ((leaf.p12(b"geheim"), b"", b"falsch"), ("password", "password-wrong")),
        ((leaf.pem * 11, leaf.key_pem(), None), ("certificate", "too-many")),
    ]  # fmt: skip
    for given, told in cases:
        found = checked(*given, NOW)
        assert (found.get("field"), found.get("problem")) == told, (told, found)
        assert "PRIVATE" not in str(found)


def test_the_check_is_made_by_a_process_of_its_own(leaf: Made) -> None:
    assert subjects(check(leaf.pem, leaf.key_pem(), "", NOW.timestamp())["pem"]) == CHAIN[:1]
    assert check(b"nonsense", b"", "", NOW.timestamp())["problem"] == "unreadable"


def test_facts_are_what_the_library_reads(leaf: Made, root: Made) -> None:
    for one in (leaf, root, made("old.example", ends=datetime.datetime(2055, 3, 1, tzinfo=datetime.UTC))):
        parsed, found = one.certificate, facts_of(one.certificate.public_bytes(Encoding.DER))
        assert f"CN={found.subject}" == parsed.subject.rfc4514_string()
        assert f"CN={found.issuer}" == parsed.issuer.rfc4514_string()
        assert (found.begins, found.ends) == (
            int(parsed.not_valid_before_utc.timestamp()),
            int(parsed.not_valid_after_utc.timestamp()),
        )
        assert found.names == (found.subject, "192.0.2.7")
        assert found.own is (parsed.issuer == parsed.subject)
    own_pem, _key = own.make(NOW)
    der = x509.load_pem_x509_certificate(own_pem).public_bytes(Encoding.DER)
    assert {"localhost", "127.0.0.1", "::1"} <= set(facts_of(der).names)


def test_what_is_no_certificate_has_no_facts(leaf: Made) -> None:
    der = leaf.certificate.public_bytes(Encoding.DER)
    for damaged in (b"", b"\x30", b"\x30\x80", b"nonsense", der[:-200], der[:40], b"\x30\x03\x02\x01\x01"):
        with pytest.raises(ValueError, match=r"no certificate|unpack"):
            facts_of(damaged)


@pytest.fixture
def device(tmp_path: Path) -> DeviceCertificate:
    """One whose own certificate is made in this process: another one takes a second."""
    folder = tmp_path / "administration"
    folder.mkdir(mode=0o700)
    certificate, key = own.make(NOW)
    (folder / own_certificate.CERTIFICATE).write_bytes(certificate)
    (folder / own_certificate.PRIVATE_KEY).write_bytes(key)
    one = DeviceCertificate(folder)
    one.prepare()
    return one


def taken(leaf: Made) -> bytes:
    return leaf.pem + leaf.key_pem()


def test_one_that_is_taken_is_used_at_once_and_after_a_restart(
    device: DeviceCertificate, leaf: Made, tmp_path: Path
) -> None:
    first, before = device.context(), device.fingerprint
    device.replace_by(taken(leaf))
    assert device.context() is not first
    assert device.fingerprint != before
    assert device.facts is not None
    assert device.facts.subject == "otp.shop.example"
    again = DeviceCertificate(tmp_path / "administration")
    again.prepare()
    assert again.fingerprint == device.fingerprint
    again.context()
    for name in (TAKEN, BEFORE):
        assert stat.S_IMODE((tmp_path / "administration" / name).stat().st_mode) == 0o600
    assert "PRIVATE" not in device.chain()
    assert subjects(device.chain()) == ["CN=otp.shop.example"]


def test_one_step_back_and_forth(device: DeviceCertificate, leaf: Made) -> None:
    with pytest.raises(NothingBefore):
        device.go_back()
    own_one = device.fingerprint
    device.replace_by(taken(leaf))
    brought = device.fingerprint
    device.replace_by(taken(leaf))
    device.go_back()
    assert device.fingerprint == own_one
    device.go_back()
    assert device.fingerprint == brought


def test_one_that_cannot_be_used_changes_nothing(device: DeviceCertificate, leaf: Made, root: Made) -> None:
    before, context = device.fingerprint, device.context()
    with pytest.raises(OtpPiError, match="not the key of this certificate"):
        device.replace_by(leaf.pem + root.key_pem())
    assert (device.fingerprint, device.context()) == (before, context)
    assert not (device._folder / TAKEN).exists()


def weak() -> bytes:
    """Return one that can be read, and whose key the library for TLS finds too short."""
    one = made("weak.example", key=rsa.generate_private_key(65537, 1024))  # noqa: S505 - it is to be refused
    return checked(one.pem, one.key_pem(), None, NOW)["pem"].encode()


def kept(device: DeviceCertificate) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in device._folder.iterdir() if one.is_file()}


def test_one_that_is_refused_leaves_the_step_back(device: DeviceCertificate, leaf: Made) -> None:
    device.replace_by(taken(leaf))
    context, files = device.context(), kept(device)
    with pytest.raises(OtpPiError, match="cannot be used"):
        device.replace_by(weak())
    assert (device.context(), kept(device)) == (context, files)


def test_one_before_that_is_refused_changes_nothing(device: DeviceCertificate, leaf: Made) -> None:
    device.replace_by(taken(leaf))
    (device._folder / BEFORE).write_bytes(weak())
    context, files = device.context(), kept(device)
    with pytest.raises(OtpPiError, match="cannot be used"):
        device.go_back()
    assert (device.context(), kept(device)) == (context, files)


@pytest.mark.parametrize("name", [TAKEN, BEFORE])
def test_a_card_that_takes_one_of_the_two_leaves_both_as_they_were(
    device: DeviceCertificate, leaf: Made, root: Made, name: str
) -> None:
    device.replace_by(taken(leaf))
    context, files = device.context(), kept(device)
    new_name(device._folder / name).mkdir()
    changes: list[Callable[[], None]] = [lambda: device.replace_by(taken(root)), device.go_back]
    for change in changes:
        with pytest.raises(OSError, match=name):
            change()
        assert (device.context(), kept(device)) == (context, files)


def test_a_damaged_one_is_told_and_the_device_s_own_is_used(device: DeviceCertificate, leaf: Made) -> None:
    own_one = device.fingerprint
    device.replace_by(taken(leaf))
    (device._folder / TAKEN).write_text("nonsense")
    again = DeviceCertificate(device._folder)
    again.prepare()
    assert isinstance(again.context(), ssl.SSLContext)
    assert again.fingerprint == own_one
    (warning,) = again.warnings()
    assert warning.startswith("the certificate that was brought cannot be used")
    again.replace_by(taken(leaf))
    assert not again.warnings()


def test_a_new_one_of_the_device_s_own(device: DeviceCertificate, monkeypatch: pytest.MonkeyPatch) -> None:
    before = device.fingerprint
    monkeypatch.setattr(own_certificate, "made", lambda: b"".join(own.make(NOW)))
    device.make_own()
    assert device.fingerprint != before
    assert device.facts is not None
    assert device.facts.own
    device.go_back()
    assert device.fingerprint == before


def test_the_program_prints_one(monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> None:
    monkeypatch.setattr("sys.argv", ["certificate"])
    own.main()
    printed = capfdbinary.readouterr().out
    assert printed.count(b"-----BEGIN ") == 2
