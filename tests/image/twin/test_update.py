"""A new version on a device: one that works, those that do not, forged ones, the way back, and power cuts between."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from image.bundle import make, packages_of
from otppi.testing.waiting import until
from tests.image.twin.twin import Twin

OWN = "0.1.0"
HOME = "var/lib/otppi-update"
BROUGHT = "/srv/x.bundle"
Edit = Callable[[Path], None]


def _change(path: Path, content: str) -> None:
    """Write a file anew, which a hard link has in common with the image, and forget what was compiled of it."""
    path.unlink()
    path.write_text(content)
    for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
        compiled.unlink()


def _works(_packages: Path) -> None:
    """Leave it as it is."""


def _does(statement: str) -> Edit:
    """Have the gateway do this in place of running; all else works, its test included."""

    def edit(packages: Path) -> None:
        path = packages / "otppi/cli/run.py"
        source = path.read_text()
        begin = '"""Run it."""\n'
        assert begin in source
        _change(path, source.replace(begin, f"{begin}    {statement}\n"))

    return edit


def _fails_its_test(packages: Path) -> None:
    path = packages / "otppi/cli/self_test.py"
    _change(path, path.read_text().replace('f"test {secrets.token_hex(8)}"', "0 / 0"))


class Release:
    """Who makes bundles."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.key = Ed25519PrivateKey.generate()
        self._root, self._folder = image / "root", folder

    def public(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def bundle(self, version: str, edit: Edit = _works, key: Ed25519PrivateKey | None = None) -> Path:
        """Make a bundle of the image's own version as if it were another one."""
        root, out = self._folder / version, self._folder / f"{version}.bundle"
        packages = root / packages_of(self._root).relative_to(self._root)
        packages.parent.mkdir(parents=True)
        subprocess.run(["cp", "-al", packages_of(self._root), packages], check=True)
        (packages / f"otppi_core-{OWN}.dist-info").rename(packages / f"otppi_core-{version}.dist-info")
        _change(packages / "otppi/__init__.py", f'"""OTP-Pi, made up."""\n\n__version__ = "{version}"\n')
        edit(packages)
        try:
            make(root, key or self.key, out, level=1)
        finally:
            shutil.rmtree(root)
        return out


@pytest.fixture(scope="module")
def release(image: Path) -> Iterator[Release]:
    folder = image / "releases"  # on the disk of the image, for hard links
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    yield Release(image, folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def good(release: Release) -> Path:
    return release.bundle("0.2.0")


def _switched_on(twin: Twin, release: Release) -> None:
    (twin.path / "usr/share/otppi/update-key.pub").write_bytes(release.public())
    assert twin.boot() == "running"


def _brought(twin: Twin, bundle: Path | bytes) -> str:
    path = twin.path / BROUGHT.removeprefix("/")
    path.write_bytes(bundle if isinstance(bundle, bytes) else bundle.read_bytes())
    path.chmod(0o644)
    return BROUGHT


def _update(twin: Twin, *arguments: str) -> tuple[int, str]:
    return twin.as_gateway("otppi", "--data", "/var/lib/otppi", "update", *arguments)


def _status(twin: Twin) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(twin.otppi("update", "status", "--json"))
    return told


def _running(twin: Twin) -> str:
    """Return which version answers at the gateway's own socket, once it is there."""
    until(lambda: twin.properties("otppi.service", "ActiveState")["ActiveState"] == "active", "the gateway is not up")
    return str(_status(twin)["running"])


@pytest.fixture(scope="module")
def device(image: Path, release: Release) -> Iterator[Twin]:
    """A device on which the tests of this file go on one after the other."""
    with Twin(image / "root") as one:
        _switched_on(one, release)
        drop_in = one.path / "etc/systemd/system/otppi.service.d"
        drop_in.mkdir(parents=True)
        (drop_in / "test.conf").write_text("[Service]\nTimeoutStartSec=20\n")
        one.run("systemctl", "daemon-reload")
        one.otppi("settings", "set", "sms.country_code", "65")
        yield one


def test_a_forged_one_is_refused_and_nothing_changes(device: Twin, release: Release, good: Path) -> None:
    whole = good.read_bytes()
    stranger = release.bundle("0.2.1", key=Ed25519PrivateKey.generate())
    for bundle, said in (
        (stranger, "signature is not right"),
        (whole[: len(whole) // 2], "not whole"),
        (whole[:-1] + bytes([whole[-1] ^ 1]), "not what was signed"),
        (whole.replace(b'"0.2.0"', b'"9.2.0"', 1), "signature is not right"),
        (b"#!/bin/sh\n" * 100, "no update of OTP-Pi"),
    ):
        code, told = _update(device, _brought(device, bundle))
        assert code != 0
        assert said in told
    assert _status(device)["running"] == OWN
    assert not list((device.path / HOME / "versions").iterdir())


def test_a_new_version_runs_and_stays(device: Twin, good: Path) -> None:
    code, told = _update(device, _brought(device, good))
    assert code == 0, told + device.journal("--unit=otppi-update", "--unit=otppi", "--unit=otppi-self-test")
    assert _running(device) == "0.2.0"
    assert device.otppi("--version").split()[1] == "0.2.0"
    assert device.otppi("settings", "show", "sms", "--json").count('"65"') == 1
    process = device.properties("otppi.service", "MainPID")["MainPID"]
    assert f"/{HOME}/versions/0.2.0/" in device.run("cat", f"/proc/{process}/maps")
    until(lambda: "update_outcome" in device.otppi("audit", "--json"), "the audit is not told")
    device.switch_off()
    assert device.boot() == "running"
    assert _running(device) == "0.2.0"
    assert not (device.path / HOME / "packed").exists()


def test_an_older_one_is_refused(device: Twin, release: Release, good: Path) -> None:
    for bundle, said in ((release.bundle("0.1.9"), "is older"), (good, "runs already")):
        code, told = _update(device, _brought(device, bundle))
        assert code != 0
        assert said in told
    assert _running(device) == "0.2.0"


def test_one_that_fails_its_test_never_runs(device: Twin, release: Release) -> None:
    before = device.properties("otppi.service", "MainPID")
    code, told = _update(device, _brought(device, release.bundle("0.2.2", _fails_its_test)))
    assert code != 0
    assert "did not pass its own test" in told
    assert device.properties("otppi.service", "MainPID") == before
    assert not (device.path / HOME / "versions/0.2.2").exists()


@pytest.mark.parametrize(
    ("version", "statement"), [("0.3.0", "raise SystemExit(7)"), ("0.3.1", "import time; time.sleep(9999)")]
)
def test_one_that_does_not_become_ready_is_taken_back(
    device: Twin, release: Release, version: str, statement: str
) -> None:
    spoils = "import pathlib; pathlib.Path('/var/lib/otppi/settings.json').write_text('{}')"
    bundle = release.bundle(version, _does(f"{spoils}; {statement}"))
    code, told = _update(device, _brought(device, bundle))
    assert code == 1, told
    assert "did not become ready" in told
    assert _running(device) == "0.2.0"
    assert '"65"' in device.otppi("settings", "show", "sms", "--json")  # what it did to the settings is undone
    outcome = _status(device)["outcome"]
    assert (outcome["version"], outcome["result"]) == (version, "rolled_back")
    assert f"The update to {version} failed." in device.otppi("status", "--json")
    until(lambda: version in device.otppi("alarms", "--json"), "there is no alarm")


def test_the_way_back(device: Twin) -> None:
    code, told = _update(device, "rollback")
    assert code == 0, told
    assert _running(device) == OWN
    code, told = _update(device, "rollback")
    assert code != 0
    assert "none before it" in told


def test_a_device_without_a_key_takes_none(new_twin: Twin, good: Path) -> None:
    assert new_twin.boot() == "running"
    assert not (new_twin.path / "usr/share/otppi/update-key.pub").exists()
    code, told = _update(new_twin, _brought(new_twin, good))
    assert code != 0
    assert "has no key" in told
    assert new_twin.code("systemctl", "start", "otppi-update.service") != 0
    assert _running(new_twin) == OWN


STEPS = ("check", "unpack", "test", "restart")


@pytest.mark.parametrize("step", STEPS)
def test_the_power_goes_while_it_is_updated(new_twin: Twin, release: Release, good: Path, step: str) -> None:
    _switched_on(new_twin, release)
    owned = ("--owner=otppi", "--group=otppi")
    new_twin.run("install", "-D", "--mode=600", *owned, _brought(new_twin, good), "/run/otppi/update/bundle")
    new_twin.run("systemctl", "--no-block", "start", "otppi-update.service")
    reached = "|".join(STEPS[STEPS.index(step) :])  # a quick one may be over before anybody looks
    wanted = f"until grep -Eq '\"({reached})\"' /run/otppi-update/progress 2>/dev/null; do :; done"
    new_twin.run("timeout", "120", "sh", "-c", wanted)
    new_twin.cut_power()
    assert new_twin.boot() == "running"
    assert new_twin.otppi("self-test").startswith("a message was sent")
    if _running(new_twin) == OWN:  # and it is made once more
        code, told = _update(new_twin, _brought(new_twin, good))
        assert code == 0, told
    assert _running(new_twin) == "0.2.0"
    assert {one.name for one in (new_twin.path / HOME / "versions").iterdir()} == {"0.2.0"}


def test_the_power_goes_while_it_is_tried(new_twin: Twin, release: Release, good: Path) -> None:
    """At the second cut it is given up: a version that takes the power away would be tried for ever."""
    _switched_on(new_twin, release)
    assert _update(new_twin, _brought(new_twin, good))[0] == 0
    home = new_twin.path / HOME
    for tries, ran, left in ((0, "0.2.0", "0.2.0"), (1, "0.2.0", "0.2.0"), (2, OWN, "")):
        new_twin.switch_off()
        (home / "current").unlink(missing_ok=True)
        (home / "trial").write_text(f"0.2.0 {tries}\n")
        assert new_twin.boot() == "running"
        assert _running(new_twin) == ran
        until(lambda: not (home / "trial").exists(), "it is on trial for ever")
        assert ((home / "current").read_text().split()[0] if left else "") == left


def test_a_version_that_is_lost_is_no_reason_to_stop(new_twin: Twin, release: Release, good: Path) -> None:
    _switched_on(new_twin, release)
    assert _update(new_twin, _brought(new_twin, good))[0] == 0
    new_twin.switch_off()
    shutil.rmtree(new_twin.path / HOME / "versions/0.2.0")
    assert new_twin.boot() == "running"
    assert _running(new_twin) == OWN
