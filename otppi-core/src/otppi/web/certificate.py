"""Makes the device's own certificate: `python -m otppi.web.certificate [CERTIFICATE PRIVATE_KEY]`, else on stdout.

A process of its own, because the cryptography package would cost the gateway megabytes for something done once.
"""

import datetime
import ipaddress
import itertools
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from otppi.kit.files import replace_whole

BUILT = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)
"""A time that is surely past: a device without a clock battery starts in 1970, or when its image was made."""
LIFE = datetime.timedelta(days=3652)


def make(now: datetime.datetime) -> tuple[bytes, bytes]:
    """Make a key (EC P-256) and a self-signed certificate for every name and address of this device, both as PEM.

    It is valid from the earlier of `now` and `BUILT` until ten years after the later one, so that neither a clock that
    was never set nor one that is set later makes it invalid.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, socket.gethostname()[:64] or "otp-pi")])
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, BUILT))
        .not_valid_after(max(now, BUILT) + LIFE)
        .add_extension(x509.SubjectAlternativeName(list(alternative_names())), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), private


def alternative_names() -> Iterator[x509.GeneralName]:
    """Yield the names and addresses under which clients may call this device."""
    host = socket.gethostname()
    candidates = [host, host if "." in host else f"{host}.local", "localhost"]
    for name in dict.fromkeys(name for name in candidates if name.isascii()):
        yield x509.DNSName(name)
    found = {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"), *_local_ipv4(), *_local_ipv6()}
    for address in sorted(found, key=lambda one: (one.version, int(one))):
        yield x509.IPAddress(address)


def _local_ipv4() -> Iterator[ipaddress.IPv4Address]:
    """Read the kernel's table: a line with an address, then `/32 host LOCAL`."""
    table = Path("/proc/net/fib_trie")
    lines = table.read_text("ascii").splitlines() if table.exists() else []
    for line, following in itertools.pairwise(lines):
        if following.strip() == "/32 host LOCAL":
            yield ipaddress.IPv4Address(line.split()[-1])


def _local_ipv6() -> Iterator[ipaddress.IPv6Address]:
    table = Path("/proc/net/if_inet6")
    for line in table.read_text("ascii").splitlines() if table.exists() else ():
        address = ipaddress.IPv6Address(bytes.fromhex(line.split()[0]))
        if not address.is_link_local:
            yield address


def main() -> None:
    """Make both files, or print them."""
    certificate, private_key = make(datetime.datetime.now(datetime.UTC))
    if len(sys.argv) == 1:
        sys.stdout.buffer.write(certificate + private_key)
        return
    replace_whole(Path(sys.argv[2]), private_key)
    replace_whole(Path(sys.argv[1]), certificate)


if __name__ == "__main__":
    main()
