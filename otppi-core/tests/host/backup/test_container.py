"""The container of a backup: what was sealed is opened again by its passphrase, and nothing else is opened."""

import hashlib
import struct

import pytest

from otppi.api.errors import InvalidSettings
from otppi.host.backup import container
from otppi.host.backup.container import LARGEST, Derivation, passphrase_problem, seal, unsealed

PASSPHRASE = "empat kata acak sekali"
QUICK = Derivation(1, 1, 8)
CONTENT = b'{"format": 1}' * 100


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return seal(CONTENT, PASSPHRASE, QUICK)


def refusal(raw: bytes, passphrase: str = PASSPHRASE) -> tuple[str, str]:
    with pytest.raises(InvalidSettings) as told:
        unsealed(raw, passphrase)
    [problem] = told.value.problems
    return problem.field, str(problem.reason)


def summed(raw: bytes) -> bytes:
    """Return a container whose sum is right whatever was done to the rest."""
    return raw[:-32] + hashlib.sha256(raw[:-32]).digest()


def with_header(raw: bytes, passes: int, lanes: int, memory: int) -> bytes:
    return summed(raw[:9] + struct.pack(">BBBI", passes, lanes, 0, memory) + raw[16:])


def test_what_was_sealed_is_opened_again(sealed: bytes) -> None:
    assert unsealed(sealed, PASSPHRASE) == CONTENT
    assert b"format" not in sealed


def test_it_is_sealed_by_the_parameters_of_the_document(sealed: bytes) -> None:
    raw = seal(CONTENT, PASSPHRASE)
    assert struct.unpack_from(">8sBBBBI", raw) == (b"OTPPIBAK", 1, 3, 4, 0, 65_536)
    assert unsealed(raw, PASSPHRASE) == CONTENT
    assert seal(CONTENT, PASSPHRASE, QUICK) != sealed, "salt and nonce are others"


def test_one_passphrase_in_two_forms_of_unicode_is_one() -> None:
    raw = seal(CONTENT, "caf\N{LATIN SMALL LETTER E WITH ACUTE} di sudut jalan", QUICK)
    assert unsealed(raw, "cafe\N{COMBINING ACUTE ACCENT} di sudut jalan") == CONTENT


def test_a_wrong_passphrase_is_told_from_a_damaged_file(sealed: bytes) -> None:
    assert refusal(sealed, "another one entirely")[0] == "passphrase"
    for at in (50, len(sealed) // 2, len(sealed) - 1):
        damaged = bytearray(sealed)
        damaged[at] ^= 1
        assert refusal(bytes(damaged)) == ("content", "is damaged or cut off: copy it once more")


@pytest.mark.parametrize("length", [8, 9, 43, 44, 91, -33, -1])
def test_a_cut_file_says_so(sealed: bytes, length: int) -> None:
    field, reason = refusal(sealed[:length])
    assert field == "content"
    assert "cut off" in reason


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"OTPPIBAX" * 20, b'{"modems": []}'])
def test_what_is_no_backup_says_so(raw: bytes) -> None:
    assert refusal(raw) == ("content", "is no backup of OTP-Pi")


def test_another_version_says_which(sealed: bytes) -> None:
    field, reason = refusal(sealed[:8] + b"\x02" + sealed[9:])
    assert field == "content"
    assert "version 2" in reason


@pytest.mark.parametrize(
    ("passes", "lanes", "memory"),
    [
        (11, 4, 65_536), (3, 4, 256 * 1024 + 1), (0, 4, 65_536), (3, 0, 65_536), (3, 17, 65_536), (3, 4, 31),
        (255, 255, 2**32 - 1),
    ],
)  # fmt: skip
def test_a_hostile_header_is_refused_before_any_work(
    sealed: bytes, monkeypatch: pytest.MonkeyPatch, passes: int, lanes: int, memory: int
) -> None:
    def never(*_: object) -> bytes:
        raise AssertionError("work was done for it")

    monkeypatch.setattr(container, "_key", never)
    field, reason = refusal(with_header(sealed, passes, lanes, memory))
    assert (field, reason) == ("content", "asks for more work than a device may be made to do")


def test_the_header_is_bound_to_the_content(sealed: bytes) -> None:
    """Other parameters give another key; the byte that nobody uses is bound as associated data."""
    assert refusal(summed(sealed[:11] + b"\x01" + sealed[12:]))[0] == "passphrase"


def test_what_unfolds_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "LARGEST_CONTENT", 1_000_000)
    bomb = seal(b"\0" * 1_000_000, PASSPHRASE, QUICK)
    monkeypatch.setattr(container, "LARGEST_CONTENT", 100_000)
    assert refusal(bomb) == ("content", "holds more than 100,000 octets")


def test_a_file_that_is_too_large_is_not_looked_at() -> None:
    assert "larger than" in refusal(b"OTPPIBAK" + bytes(LARGEST))[1]


@pytest.mark.parametrize("passphrase", ["", "elevenchars", None, 12, "x" * 1025])
def test_a_short_passphrase_seals_nothing(passphrase: object) -> None:
    assert passphrase_problem(passphrase)
    assert passphrase_problem("twelve chars") is None
