"""Makes a bundle: the version of the gateway that a card's root has, signed, for devices that have an earlier one.

    python -m image.bundle ROOT KEY FILE

KEY is the private key in PEM (`openssl genpkey -algorithm ed25519`), given by its path and kept elsewhere; the public
one is in the images that take what it has signed (`OTPPI_RELEASE_KEY`, docs/update.md).
"""

import argparse
import gzip
import io
import os
import sys
import tarfile
from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from otppi.host.update.bundle import PLATFORM, Manifest, head
from otppi.host.update.versions import version_in

_MACHINES: Final = {0x3E: "x86_64", 0xB7: "aarch64"}
"""e_machine of ELF, as `uname -m` names it (elf(5))."""
_BLOCK: Final = 1 << 20


def packages_of(root: Path) -> Path:
    """Return the folder with the packages of a root's gateway.

    Raises:
        FileNotFoundError: It has none.
    """
    found = sorted((root / "opt/otppi/lib").glob("python3.*/site-packages"))
    if len(found) != 1:
        raise FileNotFoundError(f"{root} has no gateway in /opt/otppi")
    return found[0]


def machine_of(packages: Path) -> str:
    """Return for which architecture the compiled packages are.

    Raises:
        ValueError: They are for several, for one that is not known, or there are none.
    """
    found = set()
    for library in packages.rglob("*.so"):
        with library.open("rb") as file:
            start = file.read(20)
        found.add(_MACHINES.get(int.from_bytes(start[18:20], "little"), "unknown"))
    if len(found) != 1:
        raise ValueError(f"the packages are for {', '.join(sorted(found)) or 'no architecture'}")
    return found.pop()


def pack(packages: Path, to: BinaryIO, level: int = 9) -> tuple[int, int]:
    """Pack all files in the order of their names, without owners and times; return their octets and their number."""
    octets = files = 0
    with (
        gzip.GzipFile(filename="", fileobj=to, mode="wb", compresslevel=level, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted(packages.rglob("*")):
            member = tarfile.TarInfo(path.relative_to(packages).as_posix())
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise ValueError(f"{path} is neither a file nor a folder")
            if path.is_dir():
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(member)
                continue
            content = path.read_bytes()
            member.size, member.mode = len(content), 0o755 if os.access(path, os.X_OK) and path.suffix == "" else 0o644
            archive.addfile(member, io.BytesIO(content))
            octets, files = octets + len(content), files + 1
    return octets, files


def make(root: Path, key: Ed25519PrivateKey, out: Path, level: int = 9) -> Manifest:
    """Make a bundle, packed at this level of gzip, and return what is signed."""
    packages = packages_of(root)
    beside = out.with_name(f"{out.name}.new")
    try:
        with beside.open("w+b") as packed:
            unpacked, files = pack(packages, packed, level)
            size = packed.tell()
            packed.seek(0)
            digest = file_digest(packed, "sha256").hexdigest()
            manifest = Manifest(
                version=version_in(root / "opt/otppi"),
                architecture=machine_of(packages),
                python=packages.parent.name.removeprefix("python"),
                platform=PLATFORM,
                sha256=digest,
                size=size,
                unpacked=unpacked,
                files=files,
            )
            packed.seek(0)
            with out.open("wb") as bundle:
                bundle.write(head(manifest, key))
                while block := packed.read(_BLOCK):
                    bundle.write(block)
    finally:
        beside.unlink(missing_ok=True)
    return manifest


def main(arguments: Sequence[str] | None = None) -> int:
    """Make one."""
    parser = argparse.ArgumentParser(description="Make a signed bundle of the gateway in a card's root.")
    parser.add_argument("root", type=Path, help="the root, as image/bin/build makes it")
    parser.add_argument("key", type=Path, help="the private key, ed25519 in PEM")
    parser.add_argument("out", type=Path, help="the file to be written")
    given = parser.parse_args(arguments)
    key = load_pem_private_key(given.key.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        parser.error(f"{given.key} is no ed25519 key")
    made = make(given.root, key, given.out)
    print(f"{given.out}: OTP-Pi {made.version} for {made.architecture}, {given.out.stat().st_size} octets")
    return 0


if __name__ == "__main__":
    sys.exit(main())
