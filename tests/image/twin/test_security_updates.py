"""Debian's security updates: from the archive for them and from no other, and the gateway runs meanwhile."""

import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.image.twin.twin import Twin


def _package(folder: Path, name: str, version: str) -> Path:
    """Make a package with nothing in it."""
    tree = folder / f"{name}-{version}"
    (tree / "DEBIAN").mkdir(parents=True)
    fields = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody <nobody@example>\n"
    (tree / "DEBIAN/control").write_text(f"{fields}Description: made up\n")
    made = folder / f"{name}_{version}_all.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, made], check=True, capture_output=True)
    return made


def _archive(folder: Path, suite: str, packages: Mapping[str, Path]) -> None:
    """Make an archive of packages (DebianRepository/Format), which nobody has signed."""
    lists = folder / f"dists/{suite}/main/binary-amd64"
    lists.mkdir(parents=True)
    paragraphs = []
    for name, path in packages.items():
        octets = path.read_bytes()
        (folder / path.name).write_bytes(octets)
        version = path.name.split("_")[1]
        paragraphs.append(
            f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody <nobody@example>\n"
            f"Filename: {path.name}\nSize: {len(octets)}\nSHA256: {hashlib.sha256(octets).hexdigest()}\n"
            "Description: made up\n"
        )
    text = "\n".join(paragraphs)
    (lists / "Packages").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    (folder / f"dists/{suite}/Release").write_text(
        f"Date: Mon, 30 Nov 2026 00:00:00 UTC\nSuite: {suite}\nCodename: {suite}\nArchitectures: amd64\n"
        f"Components: main\nSHA256:\n {digest} {len(text)} main/binary-amd64/Packages\n"
    )


def _version(twin: Twin, package: str) -> str:
    return twin.run("dpkg-query", "--show", "--showformat=${Version}", package)


def _start(twin: Twin, what: str) -> None:
    """Have the gateway's user start the unit, and wait for its end."""
    code, told = twin.as_gateway("systemctl", "start", f"otppi-security-updates@{what}.service")
    assert code == 0, told + twin.journal(f"--unit=otppi-security-updates@{what}.service")


@pytest.mark.parametrize("kind", ["lines", "paragraphs"])
def test_only_what_is_security_is_installed(new_twin: Twin, tmp_path: Path, kind: str) -> None:
    srv, apt = new_twin.path / "srv", new_twin.path / "etc/apt"
    old = {name: _package(tmp_path, name, "1.0") for name in ("made-up", "elsewhere")}
    new = {name: _package(tmp_path, name, "1.1") for name in (*old, "never-asked-for")}
    _archive(srv / "security", "trixie-security", {name: new[name] for name in ("made-up", "never-asked-for")})
    _archive(srv / "main", "trixie", new)
    for path in old.values():
        (srv / path.name).write_bytes(path.read_bytes())
    for one in (apt / "sources.list", *(apt / "sources.list.d").iterdir()):
        one.unlink()
    if kind == "lines":
        lines = (
            "deb [trusted=yes] file:/srv/main trixie main\ndeb [trusted=yes] file:/srv/security trixie-security main\n"
        )
        (apt / "sources.list").write_text(lines)
    else:
        uris = ("Types: deb\nURIs: file:/srv/{}\nSuites: {}\nComponents: main\nTrusted: yes\n").format
        text = f"{uris('main', 'trixie trixie-updates')}\n{uris('security', 'trixie-security')}"
        (apt / "sources.list.d/debian.sources").write_text(text)
    assert new_twin.boot() == "running"
    for path in old.values():
        new_twin.run("dpkg", "--install", f"/srv/{path.name}")
    before = new_twin.properties("otppi.service", "MainPID")

    _start(new_twin, "fetch")
    assert _version(new_twin, "made-up") == "1.0"
    _start(new_twin, "install")
    assert _version(new_twin, "made-up") == "1.1"
    assert _version(new_twin, "elsewhere") == "1.0"
    assert new_twin.code("dpkg-query", "--show", "never-asked-for") != 0
    outcome = json.loads((new_twin.path / "var/lib/otppi-update/security").read_text())
    assert outcome == {"packages": 1, "restart": False}
    assert new_twin.properties("otppi.service", "MainPID") == before
    assert not list((new_twin.path / "var/lib/apt/lists").glob("*Packages*"))  # lists are in RAM

    _start(new_twin, "fetch")
    _start(new_twin, "install")
    assert json.loads((new_twin.path / "var/lib/otppi-update/security").read_text())["packages"] == 0


def test_a_device_without_such_an_archive_says_so(new_twin: Twin) -> None:
    apt = new_twin.path / "etc/apt"
    for one in (apt / "sources.list", *(apt / "sources.list.d").iterdir()):
        one.unlink()
    assert new_twin.boot() == "running"
    assert new_twin.code("systemctl", "start", "otppi-security-updates@fetch.service") != 0
    assert "no source of security updates" in new_twin.journal("--unit=otppi-security-updates@fetch.service")
