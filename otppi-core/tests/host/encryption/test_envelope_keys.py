"""The keys of encrypted envelopes: made once, kept safely, replaced while envelopes come in, dropped in time."""

import errno
import json
import logging
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from otppi.host.encryption.keys import EnvelopeKeys, KeysDamaged
from otppi.host.encryption.reader import EnvelopeReader
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import parse

DAY = 86_400.0


class Device:
    """A folder, a clock and a setting; keys may be opened on it again and again, as after a restart."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "encryption-keys.json"
        self.now = 1_800_000_000.0
        self.keep_days = 30.0

    def open(self) -> EnvelopeKeys:
        return EnvelopeKeys(self.path, lambda: self.keep_days, clock=lambda: self.now)

    def file(self) -> Any:
        return json.loads(self.path.read_bytes())

    def kids(self) -> list[str]:
        return [entry["kid"] for entry in self.file()["keys"]]


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path)


def current(keys: EnvelopeKeys) -> str:
    (key,) = keys.jwk_set()["keys"]
    return str(key["kid"])


def states(keys: EnvelopeKeys) -> list[str]:
    return [one["state"] for one in keys.thumbprints()]


def test_nothing_is_made_before_somebody_asks(device: Device) -> None:
    keys = device.open()
    keys.drop_expired()
    assert (keys.matching(None), keys.matching("x"), keys.thumbprints(), keys.warnings()) == ([], [], [], [])
    assert not device.path.exists()


def test_a_key_is_made_once_and_found_again(device: Device) -> None:
    keys = device.open()
    public = keys.jwk_set()
    assert public == keys.jwk_set() == device.open().jwk_set()
    (key,) = public["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "use", "kid"}
    assert (key["kty"], key["crv"], key["use"]) == ("EC", "P-256", "enc")
    assert stat.S_IMODE(device.path.stat().st_mode) == 0o600
    assert [path.name for path in device.path.parent.iterdir()] == ["encryption-keys.json"]


def test_its_name_is_its_thumbprint(device: Device) -> None:
    from jwcrypto.jwk import JWK

    (key,) = device.open().jwk_set()["keys"]
    assert JWK(**key).thumbprint() == key["kid"]


def test_the_library_is_not_loaded_for_what_needs_no_key(device: Device) -> None:
    device.open().jwk_set()
    program = (
        "import sys\nfrom pathlib import Path\nimport otppi.host.host\n"
        "from otppi.host.encryption.reader import EnvelopeReader\nfrom otppi.host.encryption.keys import EnvelopeKeys\n"
        f"keys = EnvelopeKeys(Path({str(device.path)!r}), lambda: 30)\nkeys.drop_expired()\n"
        "EnvelopeReader(keys, lambda: {'required_on': []}).read(b'{\"command\": \"echo\"}', 'x')\n"
        "assert keys.jwk_set() and keys.thumbprints()\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('jwcrypto', 'cryptography')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout == "[]\n"


# -- replacing --------------------------------------------------------------------------------------------------------


def test_a_replaced_key_opens_envelopes_until_its_time_is_over(device: Device) -> None:
    keys = device.open()
    first = current(keys)
    second = keys.rotate("a test")
    assert second == current(keys) != first
    assert states(keys) == ["current", "kept"]
    assert keys.thumbprints()[1] == {
        "kid": first,
        "state": "kept",
        "made": 1_800_000_000,
        "until": 1_800_000_000 + 30 * 86_400,
    }
    device.now += 30 * DAY - 1
    assert keys.matching(first)
    assert device.open().matching(first)
    device.now += 1
    assert not keys.matching(first)
    assert keys.matching(second)
    assert device.kids() == [second], "it is gone from the card too"


def test_what_expires_while_the_device_is_off_is_dropped_at_the_start(device: Device) -> None:
    keys = device.open()
    current(keys)
    second = keys.rotate("a test")
    device.now += 40 * DAY
    device.open().drop_expired()
    assert device.kids() == [second]


def test_no_days_drop_at_once(device: Device) -> None:
    device.keep_days = 0
    keys = device.open()
    first = current(keys)
    second = keys.rotate("a test")
    assert (keys.matching(first), device.kids()) == ([], [second])
    assert first not in repr(keys.__dict__)


def test_a_changed_setting_counts_for_keys_that_were_replaced_before(device: Device) -> None:
    keys = device.open()
    first = current(keys)
    second = keys.rotate("a test")
    device.now += 5 * DAY
    device.keep_days = 5
    keys.drop_expired()
    assert not keys.matching(first)
    assert device.kids() == [second]


def test_a_replaced_key_is_dropped_before_its_time_and_the_current_one_never(device: Device) -> None:
    keys = device.open()
    first = current(keys)
    keys.rotate("a test")
    for kid in (current(keys), "none"):
        with pytest.raises(LookupError):
            keys.remove(kid, "a test")
    keys.remove(first, "a test")
    assert keys.matching(first) == []
    assert device.kids() == [current(keys)]
    assert device.open().matching(first) == [], "and stays so after a restart"


def test_the_first_key_may_be_made_by_replacing_none(device: Device) -> None:
    keys = device.open()
    kid = keys.rotate("a test")
    assert (current(keys), states(keys)) == (kid, ["current"])


def test_there_is_an_end_to_how_many_are_kept(device: Device) -> None:
    keys = device.open()
    kids = [keys.rotate("a test") for _ in range(15)]
    assert device.kids() == kids[:5:-1]
    assert len(keys.matching(None)) == 9


def test_a_clock_that_goes_back_loses_nothing(device: Device) -> None:
    keys = device.open()
    first = current(keys)
    keys.rotate("a test")
    device.now = 0.0
    assert keys.matching(first)
    assert device.open().matching(first)


# -- damage -----------------------------------------------------------------------------------------------------------


def spoilt(raw: bytes) -> dict[str, bytes]:
    document = json.loads(raw)
    first = document["keys"][0]
    swapped = {**first, "d": document["keys"][1]["d"]}
    return {
        "empty": b"",
        "zeros": bytes(len(raw)),
        "cut": raw[:-1],
        "half": raw[: len(raw) // 2],
        "not UTF-8": b"\xff" + raw,
        "not an object": b"[]",
        "null": b"null",
        "deep": b"[" * 100_000,
        "no keys": json.dumps({"version": 1}).encode(),
        "newer": json.dumps({**document, "version": 2}).encode(),
        "another private key": json.dumps({**document, "keys": [swapped, *document["keys"][1:]]}).encode(),
        "a key less": json.dumps({**document, "keys": document["keys"][1:]}).encode(),
        "a later end": json.dumps({**document, "keys": [first, {**document["keys"][1], "retired": 4e9}]}).encode(),
    }


KINDS = [
    *("empty", "zeros", "cut", "half", "not UTF-8", "not an object", "null", "deep", "no keys", "newer"),
    *("another private key", "a key less", "a later end"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_told_and_never_overwritten(device: Device, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    keys = device.open()
    kids = [current(keys), keys.rotate("a test")]
    good = device.path.read_bytes()
    bad = spoilt(good)[kind]
    device.path.write_bytes(bad)
    keys = device.open()
    keys.drop_expired()
    for act in (lambda: keys.matching(None), keys.jwk_set, keys.thumbprints, lambda: keys.rotate("a test")):
        with pytest.raises(KeysDamaged, match="put it back from a copy, or: otppi keys rotate --discard-damaged"):
            act()
    assert device.path.read_bytes() == bad
    assert keys.warnings() == [
        "encrypted envelopes are refused: the keys in encryption-keys.json cannot be used: it is damaged"
    ]
    assert len([one for one in caplog.records if one.levelno == logging.ERROR]) == 1, "once, not for each envelope"
    device.path.write_bytes(good)
    assert [one["kid"] for one in keys.thumbprints()] == kids[::-1]
    assert keys.warnings() == []


def test_every_octet_of_the_file_counts(device: Device) -> None:
    keys = device.open()
    kid = current(keys)
    good = device.path.read_bytes()
    for place in range(0, len(good), 7):
        device.path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(KeysDamaged):
            device.open().thumbprints()
    device.path.write_bytes(good)
    assert current(device.open()) == kid


def test_a_damaged_file_is_put_aside_where_a_person_says_so(device: Device) -> None:
    device.path.write_bytes(b"{")
    keys = device.open()
    kid = keys.rotate("a test", discard_damaged=True)
    assert (current(keys), keys.warnings(), device.kids()) == (kid, [], [kid])
    (aside,) = device.path.parent.glob("*.damaged-*")
    assert (aside.name, aside.read_bytes()) == ("encryption-keys.damaged-1800000000", b"{")


def test_discarding_does_no_harm_to_good_keys(device: Device) -> None:
    keys = device.open()
    first = current(keys)
    keys.rotate("a test", discard_damaged=True)
    assert keys.matching(first)
    assert not list(device.path.parent.glob("*.damaged-*"))


def test_a_file_that_cannot_be_read_is_damage_too(device: Device) -> None:
    device.path.mkdir()
    with pytest.raises(KeysDamaged, match=r"it cannot be read \(Is a directory\)"):
        device.open().matching(None)


def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: object) -> None:
        path.write_text("{")
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("otppi.kit.files._write_synced", full)


def test_a_full_card_changes_nothing(
    device: Device, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    keys = device.open()
    kid = current(keys)
    before = device.path.read_bytes()
    with monkeypatch.context() as patch:
        failing(patch)
        with pytest.raises(OSError, match="No space left"):
            keys.rotate("a test")
        with pytest.raises(OSError, match="No space left"):
            Device(tmp_path_factory.mktemp("new")).open().jwk_set()
    assert (current(keys), states(keys), device.path.read_bytes()) == (kid, ["current"], before)
    assert [path.name for path in device.path.parent.iterdir()] == ["encryption-keys.json"]
    assert keys.rotate("a test") == current(keys) != kid


def test_on_a_full_card_an_expired_key_is_dropped_from_memory_at_least(
    device: Device, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keys = device.open()
    first = current(keys)
    keys.rotate("a test")
    device.now += 31 * DAY
    with monkeypatch.context() as patch:
        failing(patch)
        assert not keys.matching(first)
        assert not keys.matching(first)
    assert caplog.text.count("still holds keys that were dropped") == 1
    assert first in device.kids()
    device.open().drop_expired()
    assert first not in device.kids()


# -- many at once -----------------------------------------------------------------------------------------------------


def together(count: int, work: Callable[[], Any]) -> list[Any]:
    """Do the work on several threads at once; what one raises is raised here."""
    with ThreadPoolExecutor(count) as threads:
        return [one.result(PATIENCE) for one in [threads.submit(work) for _ in range(count)]]


def test_the_first_key_is_one_however_many_ask(device: Device) -> None:
    keys = device.open()
    seen = together(8, lambda: current(keys))
    assert len(set(seen)) == 1


def test_envelopes_are_opened_while_keys_are_replaced(device: Device, sender: Any) -> None:
    from jwcrypto.jwk import JWK

    keys = device.open()
    reader = EnvelopeReader(keys, lambda: {"required_on": [], "keep_days": 30})
    envelope = parse(sender.TEXT)
    ended = threading.Event()

    def send() -> bool:
        for _ in range(60):
            body = type(sender)(JWK(**keys.jwk_set()["keys"][0])).compact()
            assert reader.read(body, "x") == envelope
        return True

    def replace() -> bool:
        for _ in range(8):  # as many as are kept
            ended.wait(0.02)
            keys.rotate("a test")
        return True

    rotating = threading.Thread(target=replace)
    rotating.start()
    try:
        assert together(3, send) == [True] * 3
    finally:
        ended.set()
        rotating.join(PATIENCE)
    assert device.open().jwk_set() == keys.jwk_set()


def test_replacing_by_many_at_once_makes_one_after_the_other(device: Device) -> None:
    keys = device.open()
    made = together(4, lambda: keys.rotate("a test"))
    assert sorted(device.kids()) == sorted(made)
    assert states(keys) == ["current", "kept", "kept", "kept"]


# -- secrecy ----------------------------------------------------------------------------------------------------------


def test_private_keys_are_shown_nowhere(device: Device, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    keys = device.open()
    current(keys)
    keys.rotate("a test")
    private = [entry["d"] for entry in device.file()["keys"]]
    assert len(set(private)) == 2
    jwks = keys.matching(None)
    errors = []
    raw = device.path.read_bytes()
    for kind, bad in spoilt(raw).items():
        device.path.write_bytes(bad)
        with pytest.raises(KeysDamaged) as caught:
            device.open().jwk_set()
        errors.append(f"{kind} {caught.value!r}")
    shown = f"{keys.jwk_set()} {keys.thumbprints()} {keys._keys!r} {jwks!r} {errors} {caplog.text}"
    assert not any(one in shown for one in private)
