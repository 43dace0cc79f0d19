"""A bundle that is handed over: tried where it is right, refused with the reason where it is not, whatever is cut."""

import os
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from otppi.host.update import unit
from otppi.host.update.outcomes import Reason, UpdateRefused

from .made_bundles import FILES, PYTHON, Device, Member, file


def refused(device: Device) -> Reason:
    with pytest.raises(UpdateRefused) as told:
        device.update().make()
    assert device.outcome()["result"] == "refused"
    assert device.outcome()["reason"] == told.value.reason
    assert device.restarts == 0
    assert device.versions.trial() == ""
    folder = device.home / "versions"
    assert not folder.exists() or not list(folder.iterdir())
    assert not (device.home / "packed").exists() or told.value.reason in (Reason.CONTENT, Reason.TRUNCATED)
    assert device.starts() == "image"
    return told.value.reason


def test_a_right_one_is_put_on_trial(device: Device) -> None:
    device.hand_over()
    assert device.update().make() == "0.2.0"
    assert device.restarts == 1
    assert device.outcome()["result"] == "on_trial"
    environment = device.home / "versions/0.2.0"
    site = environment / f"lib/python{PYTHON}/site-packages"
    assert {str(one.relative_to(site)): one.read_bytes() for one in site.rglob("*") if one.is_file()} == FILES
    assert all(stat.S_IMODE(one.stat().st_mode) in (0o644, 0o755) for one in environment.rglob("*"))
    assert (environment / "bin/python").readlink() == Path("/usr/bin/python3")
    assert not (device.home / "packed").exists()
    assert device.starts() == "0.2.0"
    assert device.versions.current() == ("0.2.0", "")
    assert device.outcome() == {"version": "0.2.0", "result": "confirmed", "reason": ""}


def test_the_environment_is_one_of_python(device: Device) -> None:
    device.hand_over([file("known.py", b"here = True\n")])
    device.update().make()
    python = device.home / "versions/0.2.0/bin/python"
    python.unlink()
    python.symlink_to(sys._base_executable)  # type: ignore[attr-defined]  # this computer may have its Python elsewhere
    told = subprocess.run(
        [python, "-I", "-c", "import known, sys; print(known.here, sys.prefix)"], capture_output=True, text=True
    )
    assert told.stdout.split() == ["True", str(device.home / "versions/0.2.0")], told.stderr


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda one: one[:-1], Reason.TRUNCATED),
        (lambda one: one[: len(one) // 2], Reason.TRUNCATED),
        (lambda one: one[:60], Reason.TRUNCATED),
        (lambda one: one + b"x", Reason.CONTENT),
        (lambda one: one[:-9] + bytes([one[-9] ^ 1]) + one[-8:], Reason.CONTENT),
        (lambda one: one.replace(b'"version":"0.2.0"', b'"version":"0.3.0"'), Reason.SIGNATURE),
        (lambda one: one.replace(b"UPDATE 1", b"UPDATE 2"), Reason.NOT_A_BUNDLE),
        (lambda _one: b"", Reason.NOT_A_BUNDLE),
        (lambda _one: b"PK\3\4" * 100, Reason.NOT_A_BUNDLE),
        (lambda one: one[:15] + b"A" * 10_000, Reason.NOT_A_BUNDLE),
        (lambda one: one[:15] + b"\xff?=\n" + one[16:], Reason.SIGNATURE),
    ],
)
def test_a_file_that_was_changed(device: Device, change: Callable[[bytes], bytes], reason: Reason) -> None:
    device.hand_over()
    device.bundle.write_bytes(change(device.bundle.read_bytes()))
    assert refused(device) is reason


def test_a_stranger_signed_it(device: Device) -> None:
    device.hand_over(key=Ed25519PrivateKey.generate())
    assert refused(device) is Reason.SIGNATURE


@pytest.mark.parametrize("key", [None, b"", b"-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n"])
def test_a_device_without_a_key(device: Device, key: bytes | None) -> None:
    device.hand_over()
    device.key_file.unlink()
    if key is not None:
        device.key_file.write_bytes(key)
    assert refused(device) is Reason.NO_KEY


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"version": "0.1.0"}, Reason.SAME),
        ({"version": "0.1"}, Reason.SAME),
        ({"version": "0.0.9"}, Reason.OLDER),
        ({"version": "../../x"}, Reason.CONTENT),
        ({"version": ""}, Reason.CONTENT),
        ({"version": 7}, Reason.CONTENT),
        ({"architecture": "riscv64"}, Reason.UNFIT),
        ({"python": "3.1"}, Reason.UNFIT),
        ({"platform": 2}, Reason.UNFIT),
        ({"size": 1 << 40}, Reason.CONTENT),
        ({"unpacked": 1 << 29, "version": "0.2.0"}, Reason.CONTENT),
        ({"files": 1}, Reason.CONTENT),
        ({"files": 3}, Reason.CONTENT),
        ({"unpacked": 10}, Reason.CONTENT),
    ],
)
def test_what_is_signed_and_not_for_this_device(device: Device, fields: dict[str, Any], reason: Reason) -> None:
    device.hand_over(**fields)
    assert refused(device) is reason


def link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> Member:
    return file(name, b"", type=kind, linkname=to)


@pytest.mark.parametrize(
    "members",
    [
        [file("/etc/shadow")],
        [file("../outside")],
        [file("a/../../outside")],
        [link("a", "/etc"), file("a/passwd")],
        [link("a", "b")],
        [file("b"), link("a", "b", tarfile.LNKTYPE)],
        [file("sda", b"", type=tarfile.BLKTYPE, devmajor=8, devminor=0)],
        [file("null", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=3)],
        [file("pipe", b"", type=tarfile.FIFOTYPE)],
        [file("a"), file("a")],
        [file("a"), file("a/b")],
        [file("/".join("x" * 40))],
        [file("x" * 90 + "/" + "y" * 90 + "/" + "z" * 400)],
    ],
)
def test_what_leads_out_of_the_folder(device: Device, members: list[Member]) -> None:
    device.hand_over(members)
    assert refused(device) is Reason.CONTENT
    assert not (device.folder / "outside").exists()


def test_no_file_lends_rights(device: Device) -> None:
    device.hand_over([file("a", b"x", mode=0o6777, uid=12345), file("b", b"y", mode=0o000)])
    device.update().make()
    site = device.home / f"versions/0.2.0/lib/python{PYTHON}/site-packages"
    assert stat.S_IMODE((site / "a").stat().st_mode) == 0o755
    assert stat.S_IMODE((site / "b").stat().st_mode) == 0o644
    assert (site / "a").stat().st_uid == os.getuid()


def test_what_is_handed_over_is_read_as_hostile(device: Device) -> None:
    assert refused(device) is Reason.NO_BUNDLE
    device.hand_over()
    kept = device.folder / "elsewhere"
    device.bundle.rename(kept)
    device.bundle.symlink_to(kept)
    assert refused(device) is Reason.NO_BUNDLE
    device.bundle.unlink()
    os.mkfifo(device.bundle)  # nobody writes: reading it would wait for ever
    assert refused(device) is Reason.NO_BUNDLE


def test_one_that_fails_its_test(device: Device) -> None:
    device.hand_over()
    device.passes = False
    assert refused(device) is Reason.SELF_TEST


def test_a_card_without_room(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    device.hand_over()
    real = os.statvfs(device.folder)
    monkeypatch.setattr(
        os, "statvfs", lambda _path: os.statvfs_result((4096, 4096, 9_000, 8_000, 8_000, *tuple(real)[5:]))
    )
    assert refused(device) is Reason.NO_SPACE


def test_while_one_is_on_trial_there_is_no_other(device: Device) -> None:
    device.hand_over()
    device.update().make()
    assert device.starts(ready=False) == "0.2.0"
    device.hand_over(version="0.3.0")
    with pytest.raises(UpdateRefused) as told:
        device.update().make()
    assert told.value.reason is Reason.BUSY
    assert (device.home / "versions/0.2.0").is_dir()


def test_only_what_can_be_chosen_stays(device: Device) -> None:
    for number in range(2, 6):
        device.hand_over(version=f"0.{number}.0")
        device.update().make()
        assert device.starts() == f"0.{number}.0"
    assert device.versions.current() == ("0.5.0", "0.4.0")
    assert {one.name for one in (device.home / "versions").iterdir()} == {"0.5.0", "0.4.0", "0.3.0"}


def cut_at(device: Device, step: int) -> bool:
    """Have the power go at a step of an update; return whether there was one more step.

    Steps are what Python's audit tells of (PEP 578): files that are opened, made, renamed and removed.
    """
    events = {"open", "os.rename", "os.remove", "os.mkdir", "os.symlink", "os.rmdir", "shutil.rmtree", "os.scandir"}
    child = os.fork()
    if not child:
        left = step

        def count(event: str, _arguments: object) -> None:
            nonlocal left
            if event in events:
                left -= 1
                if left < 0:
                    os._exit(9)

        try:
            update = device.update()
            sys.addaudithook(count)
            update.make()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_the_power_goes_at_each_step(tmp_path: Path) -> None:
    """Whenever it goes, a version that works runs, and the update can be made once more."""
    step, ran = 0, []
    goes_on = True
    while goes_on:
        folder = tmp_path / str(step)
        folder.mkdir()
        device = Device(folder)
        device.hand_over()
        goes_on = cut_at(device, step)
        ran.append(device.starts())
        if ran[-1] == "image":
            device.update().make()
            assert device.starts() == "0.2.0", step
        assert {one.name for one in (device.home / "versions").iterdir()} == {"0.2.0"}, step
        assert not (device.home / "packed").exists(), step
        step += 1
    assert step > 20
    assert ran == sorted(ran, reverse=True)  # the image's own, and from one step on the new one


def test_the_program_says_how_it_ended(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit, "Update", device.update)
    assert unit.main(["x"]) == 1
    assert unit.main([]) == 2
    device.hand_over()
    assert unit.main([]) == 0
