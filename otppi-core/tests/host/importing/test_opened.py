"""Folders, archives and files, of whatever they hold: bounded, and never a path of theirs."""

import contextlib
import gzip
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from otppi.host.importing import opened
from otppi.host.importing.opened import LARGEST, LARGEST_ARCHIVE, NotOpened, read_octets, read_path


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return octets.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w") -> bytes:
    octets = io.BytesIO()
    with tarfile.open(fileobj=octets, mode=mode) as archive:  # type: ignore[call-overload]  # any of its modes
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return octets.getvalue()


FILES = {"data/api/services.json": b'{"httpPort": 1}', "data/gsm/sms.json": b"\xef\xbb\xbf{}"}
TEXTS = {"data/api/services.json": '{"httpPort": 1}', "data/gsm/sms.json": "{}"}


@pytest.mark.parametrize(
    "octets", [zipped(FILES), zipped(FILES, zipfile.ZIP_STORED), tarred(FILES), tarred(FILES, "w:gz")]
)
def test_archives(octets: bytes) -> None:
    assert read_octets("upload", octets) == TEXTS


def test_a_folder_a_file_and_an_archive_by_their_paths(tmp_path: Path) -> None:
    for name, content in FILES.items():
        path = tmp_path / "of" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    (tmp_path / "config.zip").write_bytes(zipped(FILES))
    assert read_path(tmp_path / "of") == TEXTS
    assert read_path(tmp_path / "config.zip") == TEXTS
    assert read_path(tmp_path / "of/data/gsm/sms.json") == {"sms.json": "{}"}


def test_what_is_no_configuration_is_left_alone(tmp_path: Path) -> None:
    for name in ("www/index.json", "report/a.json", "a.png", "otp.json", "LICENSE"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    (tmp_path / "b.conf").write_bytes(b"\0binary")
    with pytest.raises(NotOpened, match="no file that may be a configuration"):
        read_path(tmp_path)


def test_links_are_not_followed_and_pipes_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"secret": 1}')
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    (folder / "up").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.json")
    (folder / "sms.json").write_text("{}")
    assert read_path(folder) == {"sms.json": "{}"}


@pytest.mark.parametrize("name", ["../../etc/cron.d/x.conf", "/etc/x.conf", "..\\..\\x.conf", "a/./b/../x.conf"])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_name_that_leads_out_is_a_label_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, pack: object
) -> None:
    monkeypatch.chdir(tmp_path)
    label = next(iter(read_octets("upload", pack({name: b"a = b"}))))  # type: ignore[operator]  # one of the two above
    assert ".." not in label
    assert not label.startswith("/")
    assert list(tmp_path.iterdir()) == []


def test_links_and_devices_in_archives_are_nothing() -> None:
    octets = io.BytesIO()
    with tarfile.open(fileobj=octets, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            entry = tarfile.TarInfo(f"{kind!r}.json")
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
    with pytest.raises(NotOpened):
        read_octets("upload", octets.getvalue())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        link = zipfile.ZipInfo("link.json")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(NotOpened):
        read_octets("upload", packed.getvalue())


def test_bombs_are_not_unpacked() -> None:
    zeros = bytes(LARGEST + 2)
    with pytest.raises(NotOpened, match="has more than"):
        read_octets("upload", zipped({"a.json": zeros}))
    with pytest.raises(NotOpened, match="has more than"):
        read_octets("upload", zipped({f"{place}.json": b" " * 40_000 for place in range(90)}))
    with pytest.raises(NotOpened, match="MiB unpacked"):
        read_octets("upload", gzip.compress(tarred({"www/a.bin": bytes(33 * 1024 * 1024)}), 1))


def test_many_files_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "_MOST_ENTRIES", 50)
    with pytest.raises(NotOpened):
        read_octets("upload", zipped({f"{place}.json": b"{}" for place in range(51)}))
    with pytest.raises(NotOpened):
        read_octets("upload", zipped({f"www/{place}": b"" for place in range(51)}))
    with pytest.raises(NotOpened):
        read_octets("upload", tarred({f"www/{place}": b"" for place in range(51)}, "w:gz"))
    monkeypatch.setattr(opened, "MOST_FILES", 5)
    with pytest.raises(NotOpened, match="or 5 files"):
        read_octets("upload", zipped({f"{place}.json": b"{}" for place in range(6)}))


def test_a_size_that_an_entry_claims_is_not_believed() -> None:
    octets = bytearray(zipped({"a.json": bytes(LARGEST + 2)}))
    claimed = (5).to_bytes(4, "little")
    at = octets.find(b"PK\1\2")
    octets[at + 24 : at + 28] = claimed
    octets[22:26] = claimed
    with pytest.raises(NotOpened):
        read_octets("upload", bytes(octets))


def test_two_files_of_one_name_are_refused() -> None:
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as archive:
        archive.writestr("a/x.json", "{}")
        archive.writestr("./a/x.json", "{}")
    with pytest.raises(NotOpened, match="two files of one name"):
        read_octets("upload", octets.getvalue())


@pytest.mark.parametrize("kind", [zipped(FILES), tarred(FILES), tarred(FILES, "w:gz"), b"BZh9", b"\xfd7zXZ\0", b""])
def test_a_damaged_archive_is_told_and_raises_nothing_else(kind: bytes) -> None:
    for cut in range(0, len(kind) + 1, 7):
        for octets in (kind[:cut], kind[:cut] + b"\xff" * 40 + kind[cut + 40 :]):
            with contextlib.suppress(NotOpened):
                read_octets("upload", octets)


def test_what_is_larger_than_any_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.conf"
    path.write_bytes(b" " * (LARGEST_ARCHIVE + 1))
    with pytest.raises(NotOpened, match="is larger than 4 MiB"):
        read_path(path)
    with pytest.raises(NotOpened, match="no file and no folder"):
        read_path(tmp_path / "nowhere")
