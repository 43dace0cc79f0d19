"""Codes of authenticator apps (RFC 6238), the counters that were used, and recovery codes."""

import base64
import stat
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.host.administrators import second_factor
from otppi.host.administrators.second_factor import (
    UsedCounters,
    counter_of,
    new_recovery_codes,
    new_secret,
    recovery_hash,
    uri_of,
)
from otppi.host.administrators.settings import ADMINISTRATORS

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("now", "code"),
    [(59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924")],
)
def test_the_vectors_of_the_rfc(now: int, code: str) -> None:
    """RFC 6238 appendix B, the last six digits of SHA-1."""
    assert counter_of(RFC_SECRET, code, now) == now // 30
    assert counter_of(RFC_SECRET, f" {code[:3]} {code[3:]} ", now) == now // 30, "as apps show it"


@given(st.integers(0, 2**35), st.integers(-5, 5))
def test_a_code_is_taken_one_step_before_and_after(now: int, steps: int) -> None:
    counter = now // 30 + steps
    if counter < 0:
        return
    found = counter_of(RFC_SECRET, pyotp.TOTP(RFC_SECRET).generate_otp(counter), now)
    if abs(steps) <= 1:
        assert found is not None
        assert abs(found - now // 30) <= 1
    else:  # one in a million is that of a neighbour
        assert found in (None, now // 30 - 1, now // 30, now // 30 + 1)
        assert found != counter


@given(st.text())
def test_whatever_is_typed_is_only_wrong(code: str) -> None:
    found = counter_of(RFC_SECRET, code, 59)
    assert found is None or code.strip().replace(" ", "").isdecimal()


@pytest.mark.parametrize("code", ["", "28708", "2870822", "٢٨٧٠٨٢", "-87082", "287082.0", "\ud800"])
def test_what_is_no_six_digits_is_no_code(code: str) -> None:
    assert counter_of(RFC_SECRET, code, 59) is None


def test_a_secret_is_as_long_as_the_rfc_wants_and_as_the_settings_take() -> None:
    secret = new_secret()
    assert len(base64.b32decode(secret)) == 20, "160 bits, RFC 4226 section 4"
    assert new_secret() != secret
    assert ADMINISTRATORS["totp_secret"].problem(secret) is None
    uri = urlsplit(uri_of(secret, "budi santoso"))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert unquote(uri.path).startswith("/OTP-Pi:budi santoso@")
    assert parse_qs(uri.query) == {"secret": [secret], "issuer": ["OTP-Pi"]}


# -- counters that were used ------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 20))))
def test_no_counter_of_a_secret_is_used_twice_or_after_a_greater_one(
    tmp_path_factory: pytest.TempPathFactory, uses: list[tuple[str, int]]
) -> None:
    path = tmp_path_factory.mktemp("used") / "counters"
    used, greatest = UsedCounters(path), {"a": -1, "b": -1}
    for secret, counter in uses:
        assert used.spend(secret, counter) is (counter > greatest[secret])
        greatest[secret] = max(greatest[secret], counter)
    again = UsedCounters(path)
    for secret, counter in greatest.items():
        assert counter < 0 or not again.spend(secret, counter)
        assert again.spend(secret, counter + 1)


def test_the_file_tells_no_secret_and_is_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "counters"
    UsedCounters(path).spend(RFC_SECRET, 7)
    assert RFC_SECRET.encode() not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"a": "x"}', b"\xff", b"[" * 100_000])
def test_a_damaged_file_is_told_and_written_anew(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "counters"
    path.write_bytes(content)
    used = UsedCounters(path)
    assert "cannot be read" in caplog.text
    assert used.spend("a", 5)
    assert not UsedCounters(path).spend("a", 5)


def test_where_nothing_can_be_written_a_code_is_still_used_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    used = UsedCounters(tmp_path / "gone" / "counters")
    assert used.spend("a", 5)
    assert not used.spend("a", 5)
    assert "until the gateway ends" in caplog.text


def test_so_many_secrets_are_remembered_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_factor, "_MOST_COUNTERS", 10)
    used = UsedCounters(tmp_path / "counters")
    for number in range(50):
        assert used.spend(str(number), 1)
    assert len(used._counters) == 10
    assert not used.spend("49", 1)


# -- recovery codes ---------------------------------------------------------------------------------------------------


def test_recovery_codes_are_ten_that_differ_and_cannot_be_guessed() -> None:
    codes, hashes = new_recovery_codes()
    assert len(set(codes)) == len(set(hashes)) == 10
    assert all(len(code.replace("-", "")) == 16 for code in codes)
    assert 16 * len(second_factor._ALPHABET).bit_length() >= 79, "enough bits for one SHA-256 to keep them"
    assert not set(second_factor._ALPHABET) & set("01oil")
    assert not set(codes) & set(new_recovery_codes()[0])
    assert [recovery_hash(code) for code in codes] == hashes
    assert ADMINISTRATORS["recovery_hashes"].problem(hashes) is None


@given(st.sampled_from(new_recovery_codes()[0]))
def test_a_recovery_code_is_read_however_it_is_typed(code: str) -> None:
    bare = code.replace("-", "")
    for typed in (code, bare, code.upper(), code.replace("-", " "), f" {code}\n"):
        assert recovery_hash(typed) == recovery_hash(code)
    assert recovery_hash(bare[:-1]) != recovery_hash(code)
    assert recovery_hash("\ud800") != recovery_hash(code)
