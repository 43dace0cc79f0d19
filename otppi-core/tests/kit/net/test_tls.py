"""TLS as a client: real handshakes with good and bad certificates, and settings that cannot be used."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives import serialization

from otppi.api.errors import OtpPiError
from otppi.api.settings import text
from otppi.api.settings.typed import annotations_of, disagreements
from otppi.kit.broker.settings import BrokerValues, broker_settings
from otppi.kit.net.failures import tls_trouble
from otppi.kit.net.tls import TLS_SETTINGS, TlsValues, client_context, verifying_context
from otppi.testing.brokers.certificates import Authority, Pair
from otppi.testing.waiting import PATIENCE

DEFAULTS = {setting.key: setting.default for setting in TLS_SETTINGS}


def values(**changed: Any) -> TlsValues:
    given = {key: str(value) if isinstance(value, Path) else value for key, value in changed.items()}
    return cast("TlsValues", DEFAULTS | {"ssl": True} | given)


def test_the_types_of_the_values_are_those_of_the_settings() -> None:
    assert not list(disagreements(TLS_SETTINGS, annotations_of(TlsValues)))
    declared = [one for one in broker_settings("x", port=1, source=text("topic", "t", "t")) if one.key != "topic"]
    assert not list(disagreements(declared, annotations_of(BrokerValues)))


@contextmanager
def server(pair: Pair, authority: Authority | None = None) -> Iterator[int]:
    """One TLS server, for one connection; with an authority it wants a certificate of the client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    if authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.ca_file)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                with context.wrap_socket(connection, server_side=True) as tls:
                    tls.sendall(b"hello")
            except OSError:
                pass  # the client has refused

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join(PATIENCE)
        listener.close()


def greeting(context: ssl.SSLContext | None, port: int) -> bytes:
    assert context is not None
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        return tls.recv(5)


def test_without_ssl_there_is_no_context_whatever_else_is_set() -> None:
    assert client_context(values(ssl=False, ca_file="/does/not/exist")) is None


def test_a_good_certificate_is_accepted_by_its_own_authority(authority: Authority) -> None:
    with server(authority.good()) as port:
        assert greeting(client_context(values(ca_file=authority.ca_file)), port) == b"hello"


@pytest.mark.parametrize(
    ("kind", "ours", "reason"),
    [
        ("good", False, "self.signed|unable to get local issuer"),
        ("wrong_name", True, "Hostname mismatch"),
        ("expired", True, "expired"),
    ],
)
def test_a_bad_certificate_is_refused(authority: Authority, kind: str, ours: bool, reason: str) -> None:
    context = client_context(values(ca_file=authority.ca_file if ours else ""))
    with server(getattr(authority, kind)()) as port, pytest.raises(ssl.SSLCertVerificationError, match=reason):
        greeting(context, port)


@pytest.mark.parametrize("kind", ["good", "wrong_name", "expired"])
def test_where_the_administrator_says_so_every_certificate_will_do(authority: Authority, kind: str) -> None:
    with server(getattr(authority, kind)()) as port:
        assert greeting(client_context(values(verify_certificate=False)), port) == b"hello"


def test_the_gateway_shows_a_certificate_of_its_own(authority: Authority) -> None:
    pair = authority.client("gateway")
    context = client_context(
        values(ca_file=authority.ca_file, certificate_file=pair.certificate, private_key_file=pair.key)
    )
    with server(authority.good(), authority) as port:
        assert greeting(context, port) == b"hello"


def test_old_versions_of_tls_are_not_spoken() -> None:
    context = client_context(values())
    assert context is not None
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_files_that_cannot_be_used_are_named(authority: Authority, tmp_path: Path) -> None:
    pair, empty = authority.client("one"), tmp_path / "empty.pem"
    empty.touch()
    locked = tmp_path / "locked.key"
    key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"a passphrase"),
        )
    )
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"ca_file": tmp_path / "none.pem"}, "ca_file cannot be used: No such file"),
        ({"ca_file": tmp_path}, "ca_file cannot be used: "),
        ({"ca_file": empty}, "ca_file cannot be used: "),
        ({"ca_file": pair.key}, "ca_file cannot be used: "),
        ({"certificate_file": tmp_path / "none.pem"}, "certificate_file or private_key_file cannot be used: No such"),
        ({"certificate_file": pair.certificate}, "certificate_file or private_key_file cannot be used: "),
        ({"certificate_file": pair.certificate, "private_key_file": authority.client("two").key}, "cannot be used: "),
        ({"certificate_file": pair.certificate, "private_key_file": locked}, "must not be protected by a passphrase"),
        ({"private_key_file": pair.key}, "private_key_file is set, but certificate_file is not"),
    ]
    for changed, sentence in wrong:
        with pytest.raises(OtpPiError, match=sentence):
            client_context(values(**changed))


def test_every_broker_has_the_same_settings_around_its_own_source() -> None:
    source = TLS_SETTINGS[1]
    declared = broker_settings("Broker", port=5672, source=source)
    keys = [setting.key for setting in declared]
    assert len(set(keys)) == len(keys) - 1, "the source of this test is one of them"
    assert {setting.key for setting in TLS_SETTINGS} < set(keys)
    defaults = {setting.key: setting.default for setting in declared}
    assert (defaults["enable"], defaults["ssl"], defaults["verify_certificate"]) == (False, False, True)
    assert [setting.key for setting in declared if setting.secret] == ["password"]
    assert defaults["port"] == 5672


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"AMQP\x00\x00\x09\x01", b""])
def test_a_server_without_tls_is_told_as_that(said: bytes) -> None:
    context = client_context(values())
    assert context is not None
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="broker.example")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    incoming.write(said)
    incoming.write_eof()
    with pytest.raises(ssl.SSLError) as caught:
        client.do_handshake()
    assert "not seem to speak TLS at this port, and ssl is on" in tls_trouble(caught.value)


def test_another_trouble_is_told_by_its_name() -> None:
    error = ssl.SSLError(1, "made up")
    error.reason = "NO_SHARED_CIPHER"
    assert tls_trouble(error) == "TLS failed: no shared cipher"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_old_tls_is_refused_whatever_the_system_allows(authority: Authority) -> None:
    """The minimum was OpenSSL's own (RFC 8996: TLS 1.0 and 1.1 must not be used)."""
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = authority.good()
    old.load_cert_chain(pair.certificate, pair.key)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    made = client_context(values(ca_file=authority.ca_file))
    assert made is not None
    for ours in (made, verifying_context(str(authority.ca_file))):
        ours.set_ciphers("ALL:@SECLEVEL=0")
        assert ours.minimum_version is ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError, match=r"(?i)version|protocol"):
            _shake_hands(ours, old)


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (client.wrap_bio(down, up, server_hostname="localhost"), server.wrap_bio(up, down, server_side=True))
    for _ in range(4):
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
