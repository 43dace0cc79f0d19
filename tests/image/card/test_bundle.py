"""A bundle as it is made: of a root's gateway, whole, the same each time, and of nothing that is no file."""

import io
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from image.bundle import main, make, packages_of
from otppi.host.update.bundle import copy_packed, read_head
from otppi.host.update.unpacking import unpack

ELF = b"\x7fELF" + bytes(14) + b"\xb7\0" + b"code"
FILES = {"otppi/__init__.py": b"x\n", "otppi/_fast.so": ELF, "otppi_core-1.2.3.dist-info/METADATA": b"Version: 1.2.3\n"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    packages = tmp_path / "root/opt/otppi/lib/python3.13/site-packages"
    for name, content in FILES.items():
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_bytes(content)
    return tmp_path / "root"


@pytest.fixture
def key(tmp_path: Path) -> Ed25519PrivateKey:
    made = Ed25519PrivateKey.generate()
    private = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(private)
    (tmp_path / "key.pub").write_bytes(made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return made


def test_what_is_made_is_what_a_device_takes(root: Path, key: Ed25519PrivateKey, tmp_path: Path) -> None:
    made = make(root, key, tmp_path / "x.bundle")
    assert (made.version, made.architecture, made.python, made.files) == ("1.2.3", "aarch64", "3.13", len(FILES))
    with (tmp_path / "x.bundle").open("rb") as file:
        assert read_head(file, tmp_path / "key.pub") == made
        packed = io.BytesIO()
        copy_packed(file, made, packed, lambda _share: None)
    packed.seek(0)
    (tmp_path / "out").mkdir()
    unpack(packed, made, tmp_path / "out", lambda _share: None)
    assert {name: (tmp_path / "out" / name).read_bytes() for name in FILES} == FILES
    assert not (tmp_path / "x.bundle.new").exists()


def test_the_same_root_makes_the_same_bundle(root: Path, key: Ed25519PrivateKey, tmp_path: Path) -> None:
    make(root, key, tmp_path / "one")
    for path in root.rglob("*"):
        path.touch()
    make(root, key, tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_the_command(root: Path, key: Ed25519PrivateKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del key
    assert main([str(root), str(tmp_path / "key.pem"), str(tmp_path / "x.bundle")]) == 0
    assert "OTP-Pi 1.2.3 for aarch64" in capsys.readouterr().out
    rsa = tmp_path / "rsa.pem"
    command: list[str | Path] = [
        "openssl",
        "genpkey",
        "-algorithm",
        "RSA",
        "-pkeyopt",
        "rsa_keygen_bits:2048",
        "-out",
        rsa,
    ]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(SystemExit):
        main([str(root), str(rsa), str(tmp_path / "y.bundle")])
    assert "is no ed25519 key" in capsys.readouterr().err


def test_what_is_no_gateway(root: Path, key: Ed25519PrivateKey, tmp_path: Path) -> None:
    packages = packages_of(root)
    (packages / "link").symlink_to("/etc/passwd")
    with pytest.raises(ValueError, match="neither a file nor a folder"):
        make(root, key, tmp_path / "x.bundle")
    (packages / "link").unlink()
    (packages / "other.so").write_bytes(b"\x7fELF" + bytes(14) + b"\x3e\0")
    with pytest.raises(ValueError, match="aarch64, x86_64"):
        make(root, key, tmp_path / "x.bundle")
    with pytest.raises(FileNotFoundError):
        packages_of(tmp_path)
