"""HTTPS: the device's own certificate, the administrator's, and clients that speak something else."""

import contextlib
import datetime
import socket
import ssl
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from otppi.api.errors import OtpPiError
from otppi.web import certificate, own_certificate, tls


def paths(folder: Path) -> tuple[Path, Path]:
    return folder / own_certificate.CERTIFICATE, folder / own_certificate.PRIVATE_KEY


def test_a_certificate_is_made_once_and_verifies(serve: Any, http: Any, tmp_path: Path) -> None:
    served = serve(https_enable=True)
    made, key = paths(tmp_path)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = made.read_bytes()
    context = ssl.create_default_context(cafile=str(made))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    for name in ("localhost", "127.0.0.1", socket.gethostname()):
        with (
            socket.create_connection(("127.0.0.1", served.tls_port)) as plain,
            context.wrap_socket(plain, server_hostname=name) as sock,
        ):
            sock.sendall(http.post(http.SMS))
            assert sock.recv(100).startswith(b"HTTP/1.1 200")
            assert sock.version() == "TLSv1.3"
    expected = own_certificate.fingerprint(made)
    assert served.ingress.describe()["certificate_sha256"] == expected
    assert len(expected) == 95
    served.stop()
    serve(https_enable=True)
    assert made.read_bytes() == before


def test_an_unreadable_certificate_is_made_anew(tmp_path: Path) -> None:
    made, key = paths(tmp_path)
    made.write_text("nonsense")
    key.write_text("")
    tls.own(tmp_path)
    assert "BEGIN CERTIFICATE" in made.read_text()


def test_a_certificate_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    with pytest.raises(OtpPiError, match="could not be made in"):
        tls.own(tmp_path / "nowhere")


@pytest.mark.parametrize("year", [1970, 2026, 2031])
def test_validity_suits_every_clock(year: int) -> None:
    now = datetime.datetime(year, 6, 1, tzinfo=datetime.UTC)
    parsed = x509.load_pem_x509_certificate(certificate.make(now)[0])
    assert parsed.not_valid_before_utc == min(now, certificate.BUILT)
    assert parsed.not_valid_after_utc >= max(now, certificate.BUILT) + datetime.timedelta(days=3650)
    names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert {"127.0.0.1", "::1"} <= {str(address) for address in names.get_values_for_type(x509.IPAddress)}


def test_the_gateway_does_not_load_the_cryptography_package() -> None:
    code = "import sys, otppi_ingress_rest.ingress; sys.exit('cryptography' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_own_files(serve: Any, http: Any, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    tls.own(folder)
    made, key = paths(folder)
    served = serve(https_enable=True, certificate_file=str(made), private_key_file=str(key))
    assert served.connect_tls(http.post(http.SMS)).answer()[0] == 200
    assert not (tmp_path / own_certificate.CERTIFICATE).exists()


def test_a_certificate_of_an_unusual_label_is_served_without_a_fingerprint(
    serve: Any, http: Any, tmp_path: Path
) -> None:
    """OpenSSL reads it, and says nothing of its label; the ingress ended with the error of whoever read the file."""
    folder = tmp_path / "mine"
    folder.mkdir()
    tls.own(folder)
    made, key = paths(folder)
    made.write_text(made.read_text().replace(" CERTIFICATE-", " X509 CERTIFICATE-"))
    served = serve(https_enable=True, certificate_file=str(made), private_key_file=str(key))
    assert served.connect_tls(http.post(http.SMS)).answer()[0] == 200
    assert "certificate_sha256" not in served.ingress.describe()


def test_own_files_that_do_not_fit_name_the_setting(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        tls.own(folder)
    with pytest.raises(OtpPiError, match=r"certificate_file.*private_key_file.*not the key of this certificate"):
        tls.configured(str(one / own_certificate.CERTIFICATE), str(other / own_certificate.PRIVATE_KEY), "ingress-rest")
    with pytest.raises(OtpPiError, match=r"ingress-rest\.private_key_file is empty"):
        tls.configured(str(one / own_certificate.CERTIFICATE), "", "ingress-rest")
    with pytest.raises(OtpPiError, match=r"ingress-rest\.certificate_file: .*cannot be read"):
        tls.configured(str(one / "none"), str(one / own_certificate.PRIVATE_KEY), "ingress-rest")
    key = subprocess.run(
        ["openssl", "ec", "-aes128", "-passout", "pass:x", "-in", str(one / own_certificate.PRIVATE_KEY)],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    (one / "locked").write_bytes(key)
    with pytest.raises(OtpPiError, match="passphrase"):
        tls.configured(str(one / own_certificate.CERTIFICATE), str(one / "locked"), "ingress-rest")


def test_plain_http_on_the_tls_port_is_told_so(serve: Any, http: Any) -> None:
    served = serve(https_enable=True, http_enable=False)
    with socket.create_connection(("127.0.0.1", served.tls_port)) as sock:
        sock.sendall(http.post(http.SMS))
        assert b"this port speaks HTTPS" in sock.recv(65_536)


@pytest.mark.parametrize("garbage", [b"\x16garbage" * 50, b"\x16\x03\x01\x00\x05hello", b"\x16"])
def test_a_garbled_handshake_ends(serve: Any, http: Any, garbage: bytes) -> None:
    served = serve(https_enable=True, http_enable=False)
    with socket.create_connection(("127.0.0.1", served.tls_port)) as sock:
        sock.sendall(garbage)
        with contextlib.suppress(OSError):  # it is not connected any more where the server was quicker
            sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while sock.recv(100):
                pass
    assert served.connect_tls(http.post(http.SMS)).answer()[0] == 200


def test_old_tls_is_refused(serve: Any) -> None:
    served = serve(https_enable=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", served.tls_port)) as plain, pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(plain)


def test_pipelining_and_long_answers_over_tls(serve: Any, http: Any) -> None:
    served = serve(https_enable=True)
    count = 60
    wire = served.connect_tls()
    sender = threading.Thread(target=wire.send, args=(http.get("/api/openapi.json") * count,))
    sender.start()
    assert [wire.response()[0] for _ in range(count)] == [200] * count
    sender.join()
    whole = http.post(http.SMS)
    for octet in whole:
        wire.send(bytes([octet]))
    assert wire.answer()[0] == 200


def test_a_request_of_several_records_and_a_large_body(serve: Any, http: Any) -> None:
    served = serve(https_enable=True)
    wire = served.connect_tls(http.post(b'{"command":"echo","data":"' + b"a" * 60_000 + b'"}') * 3)
    assert [wire.answer()[0] for _ in range(3)] == [200] * 3
