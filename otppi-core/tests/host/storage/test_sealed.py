"""The file of sealed slots: nothing is readable in it, nothing is lost by a kill, nothing stays of what was erased."""

import errno
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otppi.host.storage.sealed import SealedFile, key_file, spool_key
from otppi.testing.waiting import PATIENCE

KEY = bytes(range(32))
SECRET = b"a secret payload "
SMALLEST, EXTENT = 256, 256 * 1024


@contextmanager
def opened(path: Path, key: bytes = KEY, limit: int = 32 * 1024 * 1024) -> Iterator[SealedFile]:
    file = SealedFile(path, key, limit)
    try:
        yield file
    finally:
        file.close()


def left(path: Path, key: bytes = KEY) -> list[bytes]:
    with opened(path, key) as file:
        return [payload for _, payload in file.entries()]


def test_what_was_put_is_there_at_the_next_start_and_nobody_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "spool"
    payloads = [b"", SECRET, SECRET * 13, SECRET * 1000, b"\0" * 300]
    with opened(path) as file:
        slots = [file.put(payload) for payload in payloads]
        assert len(file) == len(payloads)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert SECRET not in path.read_bytes()
    with opened(path) as file:
        assert sorted(file.entries()) == sorted(zip(slots, payloads, strict=True))
        assert [slot for slot, _ in file.entries()] == [], "what was read is not read twice"


def test_nothing_stays_of_what_was_erased(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    with opened(path) as file:
        slots = [file.put(SECRET * size) for size in (1, 20, 3000)]
        assert path.read_bytes().strip(b"\0")
        for slot in slots:
            file.erase(slot)
        assert not path.read_bytes().strip(b"\0")
        with pytest.raises(KeyError):
            file.erase(slots[0])
    assert left(path) == []


operations = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 3), st.binary(max_size=600)),
        st.tuples(st.just("erase"), st.integers(0, 50), st.just(b"")),
        st.tuples(st.just("restart"), st.just(0), st.just(b"")),
    ),
    max_size=40,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations)
def test_it_holds_what_was_put_and_not_erased_whatever_is_done(
    tmp_path: Path, steps: list[tuple[str, int, bytes]]
) -> None:
    path = tmp_path / "spool"
    path.unlink(missing_ok=True)
    file, held = SealedFile(path, KEY), dict[int, bytes]()
    try:
        for kind, number, payload in steps:
            if kind == "put":
                slot = file.put(payload * 5**number)
                assert slot not in held
                held[slot] = payload * 5**number
            elif kind == "erase" and held:
                slot = sorted(held)[number % len(held)]
                file.erase(slot)
                del held[slot]
            elif kind == "restart":
                file.close()
                file = SealedFile(path, KEY)
                assert file.entries() == sorted(held.items())
            assert len(file) == len(held)
    finally:
        file.close()
    with opened(path) as again:
        assert again.entries() == sorted(held.items())


def test_a_file_cut_at_every_byte_loses_only_what_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    with opened(path) as file:
        first, second = file.put(SECRET), file.put(SECRET * 2)
        assert (first, second) == (0, 1)
    whole = path.read_bytes()
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        complete = (size >= 4 + 12 + 16 + len(SECRET)) + (size == len(whole))
        assert left(path) == [SECRET, SECRET * 2][:complete]
        survived = [slot for slot in range(2) if path.read_bytes()[slot * SMALLEST :][:SMALLEST].strip(b"\0")]
        assert survived == list(range(complete)), "what cannot be opened is erased"


def test_a_slot_written_in_part_over_every_byte_is_erased_and_its_neighbours_stay(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    with opened(path) as file:
        for payload in (SECRET, SECRET * 8, SECRET * 3):
            file.put(payload)
    whole = path.read_bytes()
    for size in range(1, 4 + 12 + 16 + len(SECRET) * 8):
        torn = bytearray(whole)
        torn[SMALLEST + size : 2 * SMALLEST] = bytes(SMALLEST - size)
        path.write_bytes(torn)
        assert left(path) == [SECRET, SECRET * 3]
        assert not path.read_bytes()[SMALLEST : 2 * SMALLEST].strip(b"\0")


def test_what_another_key_sealed_is_erased(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "spool"
    with opened(path) as file:
        file.put(SECRET)
        file.put(SECRET * 30)
    assert left(path, bytes(32)) == []
    assert "could not be opened" in caplog.text
    assert not path.read_bytes().strip(b"\0")
    assert left(path) == []


def test_a_slot_opens_at_its_own_place_in_its_own_file_only(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    with opened(path) as file:
        file.put(SECRET)
        file.put(b"another")
    whole = path.read_bytes()
    path.write_bytes(whole[SMALLEST : 2 * SMALLEST].ljust(SMALLEST, b"\0") + whole[:SMALLEST])
    assert left(path) == []
    (tmp_path / "other").write_bytes(whole)
    assert left(tmp_path / "other") == []


def test_the_same_payload_is_never_sealed_the_same_way(tmp_path: Path) -> None:
    seen = set()
    with opened(tmp_path / "spool") as file:
        for _ in range(100):
            slot = file.put(SECRET)
            seen.add((tmp_path / "spool").read_bytes())
            file.erase(slot)
    assert len(seen) == 100


def test_what_was_erased_makes_room_also_for_other_sizes(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    with opened(path, limit=2 * EXTENT) as file:
        slots = [file.put(SECRET) for _ in range(2 * EXTENT // SMALLEST)]
        with pytest.raises(OSError, match="limit") as raised:
            file.put(SECRET)
        assert raised.value.errno == errno.ENOSPC
        with pytest.raises(OSError, match="limit"):
            file.put(SECRET * 100)
        assert path.stat().st_size <= 2 * EXTENT
        for slot in slots[: len(slots) // 2]:
            file.erase(slot)
        long = file.put(SECRET * 100)
        assert dict.fromkeys([*slots[len(slots) // 2 :], long]).keys() == set(slots[len(slots) // 2 :]) | {long}
    with opened(path, limit=2 * EXTENT) as file:
        entries = file.entries()
        assert len(entries) == len(slots) // 2 + 1
        for slot, _ in entries:
            file.erase(slot)
        assert file.put(SECRET * 2000) >= 0


def test_the_memory_of_a_rush_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    with opened(path) as file:
        slots = [file.put(SECRET * 500) for _ in range(200)]
        assert path.stat().st_size > 1_500_000
        for slot in slots:
            file.erase(slot)
        assert path.stat().st_size == 0
        file.put(SECRET)
    assert left(path) == [SECRET]


def test_what_is_too_long_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "spool") as file:
        file.put(bytes(EXTENT - 32))
        with pytest.raises(OSError, match="large") as raised:
            file.put(bytes(EXTENT - 31))
        assert raised.value.errno == errno.EFBIG
        assert len(file) == 1


def test_after_the_end_nothing_is_written(tmp_path: Path) -> None:
    file = SealedFile(tmp_path / "spool", KEY)
    slot = file.put(SECRET)
    file.close()
    file.close()
    with (tmp_path / "another file").open("wb") as other:  # it gets the same descriptor
        for call in (lambda: file.put(SECRET), lambda: file.erase(slot), file.entries):
            with pytest.raises(OSError, match="closed"):
                call()
        other.flush()
    assert (tmp_path / "another file").read_bytes() == b""
    assert left(tmp_path / "spool") == [SECRET]


def test_a_full_disk_keeps_nothing_of_what_it_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, write = tmp_path / "spool", os.pwrite
    with opened(path) as file:
        kept = file.put(SECRET)
        with monkeypatch.context() as patched:
            patched.setattr(os, "pwrite", lambda descriptor, data, place: write(descriptor, data[:40], place))
            with pytest.raises(OSError, match="No space"):
                file.put(SECRET * 5)
        assert len(file) == 1
        assert not path.read_bytes()[SMALLEST:].strip(b"\0") or file.put(b"") != kept
    assert SECRET in left(path)


def test_a_limit_of_the_file_size_is_told(tmp_path: Path) -> None:
    code = f"""
import resource, sys
from pathlib import Path
from otppi.host.storage.sealed import SealedFile
file = SealedFile(Path({str(tmp_path / "spool")!r}), bytes(range(32)))
file.put(b"before")
resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
try:
    for _ in range(9):
        file.put(bytes(180))
except OSError as error:
    print(error.errno, len(file))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert result.stdout.split()[0] in (str(errno.EFBIG), str(errno.ENOSPC))
    assert len(left(tmp_path / "spool")) == int(result.stdout.split()[1])
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


WRITER = """
import sys
from pathlib import Path
from otppi.host.storage.sealed import SealedFile
file = SealedFile(Path(sys.argv[1]), bytes(range(32)))
for slot, payload in file.entries():
    number, size, *rest = payload.split(b" ")
    assert payload == b"%b %b " % (number, size) + b"x" * int(size), "torn, and opened"
    print("left", number.decode())
print("ready", flush=True)
number, held = int(sys.argv[2]), []
while True:
    size = (number * 7919) % 9000
    held.append((number, file.put(b"%d %d " % (number, size) + b"x" * size)))
    print("put", number, flush=True)
    number += 1
    if len(held) > 40:
        erased, slot = held.pop(number % len(held))
        print("erasing", erased, flush=True)
        file.erase(slot)
        print("erased", erased, flush=True)
"""


def test_a_kill_at_any_time_leaves_what_was_put_and_nothing_of_what_was_erased(tmp_path: Path) -> None:
    rng, held, doubtful = random.Random(4), set[str](), set[str]()
    for start in range(0, 12 * 1_000_000, 1_000_000):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "spool"), str(start)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        lines, killer = [], None
        for line in child.stdout:
            if line.endswith("\n"):  # the kill may have cut it
                lines.append(line.split())
            if killer is None and line.startswith("put"):  # a busy machine may let it do nothing before
                killer = threading.Timer(rng.uniform(0.001, 0.05), child.send_signal, [signal.SIGKILL])
                killer.start()
        child.wait()
        child.stdout.close()
        assert killer is not None
        killer.join()
        found = {words[1] for words in lines if words[0] == "left"}
        assert held - doubtful <= found <= held | doubtful
        put = [words[1] for words in lines if words[0] == "put"]
        erasing = {words[1] for words in lines if words[0] == "erasing"}
        erased = {words[1] for words in lines if words[0] == "erased"}
        held = (found | set(put)) - erased
        doubtful = (erasing - erased) | {str(int(put[-1]) + 1) if put else str(start)}
    assert held


def test_many_threads_at_once(tmp_path: Path) -> None:
    with opened(tmp_path / "spool") as file:
        kept: dict[int, bytes] = {}
        lock = threading.Lock()

        def one(number: int) -> None:
            for count in range(200):
                payload = b"%d %d " % (number, count) * (count % 30)
                slot = file.put(payload)
                if count % 10:
                    file.erase(slot)
                else:
                    with lock:
                        assert slot not in kept
                        kept[slot] = payload

        threads = [threading.Thread(target=one, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert len(file) == len(kept) == 6 * 20
    with opened(tmp_path / "spool") as file:
        assert dict(file.entries()) == kept


def test_it_is_cheap(tmp_path: Path) -> None:
    with opened(Path("/dev/shm") / f"otppi-sealed-{os.getpid()}") as file:  # noqa: S108 - as cheap as on a RAM disk
        Path(f"/dev/shm/otppi-sealed-{os.getpid()}").unlink()  # noqa: S108
        payload, best = bytes(200), float("inf")
        for _ in range(5):
            began = time.process_time()
            for _ in range(2000):
                file.erase(file.put(payload))
            best = min(best, (time.process_time() - began) / 2000)
    assert best < 50e-6, "about 12 us on a PC; twice the budget, since other tests run beside this one"


def test_the_key_of_the_service_manager_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    own = spool_key(tmp_path / "run")
    assert len(own) == 32
    assert own == (tmp_path / "run" / "spool.key").read_bytes() == spool_key(tmp_path / "run")
    (credentials / "otppi-spool-key").write_bytes(b"k" * 40)
    held = spool_key(tmp_path / "other")
    assert len(held) == 32
    assert held not in (own, b"k" * 32)
    assert held == spool_key(tmp_path / "third")
    assert not (tmp_path / "other").exists()
    (credentials / "otppi-spool-key").write_bytes(b"k" * 41)
    assert spool_key(tmp_path / "other") != held


def test_a_key_of_the_service_manager_that_is_too_short_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "otppi-spool-key").write_bytes(b"short")
    assert spool_key(tmp_path) == (tmp_path / "spool.key").read_bytes()
    assert "fewer than 32 bytes" in caplog.text


def test_the_key_file_is_ours_alone_and_made_anew_where_it_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "a key"
    key = key_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(key[:31])
    assert len(key_file(path)) == 32
    with pytest.raises(ValueError, match="31 bytes"):
        SealedFile(tmp_path / "spool", key[:31])


def test_what_seals_leaves_the_larger_library_alone(tmp_path: Path) -> None:
    """The package `cryptography` would make each gateway 7 MB larger from its first message on."""
    code = (
        "import sys; from pathlib import Path; from otppi.host.storage.sealed import SealedFile; "
        "SealedFile(Path(sys.argv[1]), bytes(32)).put(b'a text'); print('cryptography' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "sealed"], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
