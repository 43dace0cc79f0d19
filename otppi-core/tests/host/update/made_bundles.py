"""A device's folder of versions, who makes bundles, and bundles of what somebody wants in them."""

import gzip
import io
import json
import os
import platform
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from otppi.host.update.bundle import Manifest, head
from otppi.host.update.unit import Update
from otppi.host.update.versions import Versions

SCRIPT = Path(__file__).parents[4] / "overlays/update/usr/lib/otppi/version"
FILES = {"otppi/__init__.py": b"made up\n", "otppi/deep/er/x.so": bytes(range(256)) * 300}
PYTHON = ".".join(platform.python_version_tuple()[:2])
Member = tuple[tarfile.TarInfo, bytes]


def file(name: str, content: bytes = b"x", **fields: Any) -> Member:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    for key, value in fields.items():
        setattr(member, key, value)
    return member, content


def packed(members: Iterable[Member]) -> bytes:
    octets = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=octets, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w|") as archive,
    ):
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return octets.getvalue()


class Device:
    """A device: its folders, the key that it knows, and the scripts and programs that are run on it.

    Attributes:
        passes: Whether a new version passes its own test.
        restarts: How often systemd was told to start the gateway anew.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home, self.image, self.data = folder / "home", folder / "image", folder / "data"
        self.link, self.key_file, self.bundle = folder / "version", folder / "key.pub", folder / "bundle"
        self.key = Ed25519PrivateKey.generate()
        self.key_file.write_bytes(self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        (self.image / "bin").mkdir(parents=True)
        (self.image / f"lib/python{PYTHON}/site-packages/otppi_core-0.1.0.dist-info").mkdir(parents=True)
        self.data.mkdir()
        self.passes = True
        self.restarts = 0
        self.versions = Versions(self.home, self.image)

    def manifest(self, payload: bytes, members: Iterable[Member], **fields: Any) -> Manifest:
        files = [content for member, content in members if not member.isdir()]
        made = Manifest(
            "0.2.0", platform.machine(), PYTHON, 1, sha256(payload).hexdigest(), len(payload),
            sum(map(len, files)), len(files),
        )  # fmt: skip
        return replace(made, **fields)

    def hand_over(
        self, members: Iterable[Member] | None = None, key: Ed25519PrivateKey | None = None, **fields: Any
    ) -> Manifest:
        """Put a bundle where the gateway puts it."""
        known = list(members or (file(name, content) for name, content in FILES.items()))
        payload = packed(known)
        manifest = self.manifest(payload, known, **fields)
        self.bundle.write_bytes(head(manifest, key or self.key) + payload)
        return manifest

    def update(self) -> Update:
        def restart() -> None:
            self.restarts += 1

        return Update(
            self.versions, self.bundle, self.key_file, self.folder / "run", lambda _version: self.passes, restart
        )

    def version(self, *words: str, code: int = 0) -> str:
        """Run the script that systemd runs around each start; return what it says."""
        environment = {
            **os.environ,
            "OTPPI_UPDATE_HOME": str(self.home),
            "OTPPI_UPDATE_IMAGE": str(self.image),
            "OTPPI_UPDATE_LINK": str(self.link),
            "OTPPI_UPDATE_DATA": str(self.data),
        }
        done = subprocess.run([SCRIPT, *words], env=environment, capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def starts(self, *, ready: bool = True) -> str:
        """Have systemd start the gateway; return which version runs."""
        self.version("choose")
        self.version("settings")
        if ready:
            self.version("confirm")
        chosen = self.link.readlink()
        return "image" if chosen == self.image else chosen.name

    def outcome(self) -> Mapping[str, str]:
        told: Mapping[str, str] = json.loads((self.home / "outcome").read_text())
        return told
