"""A bundle: one version of the gateway in one file. Its head is signed; what follows is known by length and hash.

    OTPPI-UPDATE 1
    ed25519 signature of the domain and the next line without its end, in base64 (RFC 8032, RFC 4648)
    manifest, one line of JSON
    the packages as tar, packed by gzip: regular files in folders below the environment's `site-packages`

So a forged file is known by its first two kilobytes, and nothing of it is unpacked before all of it was read once.
"""

import base64
import binascii
import json
import platform
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from otppi.host.update.outcomes import Reason, UpdateRefused

if TYPE_CHECKING:  # it takes megabytes, and is needed for minutes in the life of a device
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAGIC: Final = b"OTPPI-UPDATE 1\n"
PLATFORM: Final = 1
"""What a version may expect of the card image around it: units, polkit rules, packages. Raised when that changes, so
that a version which needs another image is refused on this one."""
LARGEST: Final = 128 * 1024 * 1024
"""Octets of a bundle."""
LARGEST_UNPACKED: Final = 1024 * 1024 * 1024
MOST_FILES: Final = 50_000
_LONGEST_LINE: Final = 4096
_DOMAIN: Final = b"otppi update manifest, format 1\n"
_BLOCK: Final = 1 << 20
_VERSION: Final = re.compile(r"(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){1,3}")

Tell = Callable[[float], None]
"""Is told how much is done, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is signed.

    Attributes:
        version: Of the gateway, numbers with dots.
        architecture: As `uname -m` names it.
        python: The Python that it is compiled for, such as `3.13`.
        platform: What it expects of the card image (`PLATFORM`).
        sha256: Of the packed files, in hexadecimal digits.
        size: Octets of the packed files.
        unpacked: Octets of all files together.
        files: How many there are.
    """

    version: str
    architecture: str
    python: str
    platform: int
    sha256: str
    size: int
    unpacked: int
    files: int


def order(version: str) -> tuple[int, ...]:
    """Return a version as what versions are compared by.

    Raises:
        ValueError: It is none.
    """
    if not _VERSION.fullmatch(version):
        raise ValueError("this is not a version")
    numbers = [int(one) for one in version.split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def read_head(file: BinaryIO, key: Path) -> Manifest:
    """Read the head of a bundle, up to its packed files, and check its signature.

    Args:
        file: At its beginning.
        key: The file with the public key, in PEM (RFC 8410).

    Raises:
        UpdateRefused: There is no key, it is no bundle, or it is signed by nobody whom the key knows.
        OSError: It cannot be read.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        public = load_pem_public_key(key.read_bytes())
    except (FileNotFoundError, ValueError):
        raise UpdateRefused(Reason.NO_KEY) from None
    if not isinstance(public, Ed25519PublicKey):
        raise UpdateRefused(Reason.NO_KEY)
    if file.read(len(MAGIC)) != MAGIC:
        raise UpdateRefused(Reason.NOT_A_BUNDLE)
    signature, manifest = _line(file), _line(file)
    try:
        public.verify(base64.b64decode(signature, validate=True), _DOMAIN + manifest)
    except (InvalidSignature, binascii.Error, ValueError):
        raise UpdateRefused(Reason.SIGNATURE) from None
    return _manifest(manifest)


def _line(file: BinaryIO) -> bytes:
    line = file.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise UpdateRefused(Reason.NOT_A_BUNDLE if len(line) == _LONGEST_LINE else Reason.TRUNCATED)
    return line[:-1]


def _manifest(line: bytes) -> Manifest:
    """Read what is signed: a mistake of who signs is told, too, and never unpacked."""
    try:
        made = Manifest(**json.loads(line))
        numbers = (made.platform, made.size, made.unpacked, made.files)
        right = all(isinstance(one, int) and one > 0 for one in numbers) and all(
            isinstance(one, str) for one in (made.version, made.architecture, made.python, made.sha256)
        )
        order(made.version)
    except (ValueError, TypeError):
        raise UpdateRefused(Reason.CONTENT) from None
    if not right or made.size > LARGEST or made.unpacked > LARGEST_UNPACKED or made.files > MOST_FILES:
        raise UpdateRefused(Reason.CONTENT, made.version)
    return made


def check_fit(manifest: Manifest, newest: str) -> None:
    """See whether a version is for this device, and newer than what it has.

    Args:
        manifest: The version's.
        newest: The version that runs, which this one is to be newer than.

    Raises:
        UpdateRefused: It is not.
    """
    python = ".".join(platform.python_version_tuple()[:2])
    if (manifest.architecture, manifest.python, manifest.platform) != (platform.machine(), python, PLATFORM):
        raise UpdateRefused(Reason.UNFIT, manifest.version)
    if order(manifest.version) == order(newest):
        raise UpdateRefused(Reason.SAME, manifest.version)
    if order(manifest.version) < order(newest):
        raise UpdateRefused(Reason.OLDER, manifest.version)


def copy_packed(file: BinaryIO, manifest: Manifest, to: BinaryIO, tell: Tell) -> None:
    """Copy the packed files to a file that nobody else may write, and compare their hash on the way.

    Raises:
        UpdateRefused: They are not what was signed.
        OSError: Something cannot be read or written.
    """
    digest, left = sha256(), manifest.size
    while left:
        block = file.read(min(_BLOCK, left))
        if not block:
            raise UpdateRefused(Reason.TRUNCATED, manifest.version)
        digest.update(block)
        to.write(block)
        left -= len(block)
        tell(1 - left / manifest.size)
    if file.read(1) or digest.hexdigest() != manifest.sha256:
        raise UpdateRefused(Reason.CONTENT, manifest.version)


def head(manifest: Manifest, key: "Ed25519PrivateKey") -> bytes:
    """Return the head of a bundle, signed."""
    line = json.dumps(asdict(manifest), separators=(",", ":"), sort_keys=True).encode()
    return MAGIC + base64.b64encode(key.sign(_DOMAIN + line)) + b"\n" + line + b"\n"
