"""One-time passwords over a restart, and where they cannot be kept."""

from pathlib import Path

import pytest

from otppi.api.errors import Rejected
from otppi.api.message import State
from otppi.host.otp.one_time import open_passwords
from otppi.host.otp.settings import OTP
from otppi.host.records.record import Record
from otppi.host.storage.sealed import SealedFile
from otppi.testing.bench import DispatchBench
from otppi.testing.values import values_of

from .conftest import EXPIRED, KEY, OK, TOO_MANY, WRONG, OtpBench, refusal, wrong_of

# -- over a restart ----------------------------------------------------------------------------------------------------


def test_codes_attempts_and_limits_survive_a_restart(otp: OtpBench) -> None:
    otp.use(attempts=3, per_receiver_per_hour=2)
    code = otp.request()
    assert otp.verify(wrong_of(code)).attempts_left == 2
    otp.restart()
    assert refusal(otp.ask).cause.startswith("a one-time password was sent a moment ago")
    assert otp.verify(wrong_of(code)).attempts_left == 1
    otp.restart()
    assert otp.verify(code).code is OK
    otp.restart()
    assert otp.verify(code).code is WRONG
    otp.request()
    otp.restart()
    otp.ahead += 61
    assert "this receiver" in refusal(otp.ask).cause


def test_a_kill_amid_a_change_leaves_the_newer_truth(otp: OtpBench, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = [otp.request(str(number)) for number in range(2)]
    with monkeypatch.context() as killed:
        killed.setattr(SealedFile, "erase", lambda *_: None)  # the new is written, the old is not erased
        assert otp.verify(wrong_of(codes[0]), "0").attempts_left == 4
        assert otp.verify(codes[1], "1").code is OK
    for _ in range(2):
        otp.restart()
        assert otp.verify(codes[1], "1").code is WRONG
        assert otp.passwords._book._file is not None
        assert len(otp.passwords._book._file) == 2
    assert otp.verify(wrong_of(codes[0]), "0").attempts_left == 3


def test_limits_go_on_over_a_restart(otp: OtpBench) -> None:
    otp.use(wrong_per_hour=2, guard_requests=4, guard_percent=50, per_receiver_per_hour=0)
    codes = [otp.request(str(number)) for number in range(4)]
    for _ in range(2):
        otp.verify(wrong_of(codes[0]), "0")
    for number in (1, 2):
        assert otp.verify(codes[number], str(number)).code is OK
    otp.ahead += 130
    otp.restart()
    assert otp.verify(codes[0], "0").code is TOO_MANY
    otp.ask("the guard knows that two of four were verified")
    otp.use(guard_percent=60)
    otp.ahead += 130
    assert "too few" in refusal(lambda: otp.ask("two of five")).cause


def test_a_void_code_stays_void_over_a_restart(otp: OtpBench) -> None:
    otp.use(attempts=2)
    code = otp.request()
    for _ in range(2):
        otp.verify(wrong_of(code))
    otp.restart()
    assert otp.verify(code).code is TOO_MANY
    otp.ahead += 400
    assert otp.verify(code).code is EXPIRED
    otp.restart()
    assert otp.verify(code).code is EXPIRED


def test_a_replaced_code_stays_dead_over_a_restart(otp: OtpBench) -> None:
    old = otp.request()
    otp.ahead += 61
    new = otp.request()
    otp.restart()
    assert otp.verify(new if old == new else old).code is (OK if old == new else WRONG)
    assert old == new or otp.verify(new).code is OK
    otp.restart()
    assert otp.verify(old).cause.startswith("no one-time password waits")


def test_a_code_whose_message_failed_meanwhile_is_void_after_a_restart(otp: OtpBench) -> None:
    otp.hear_nothing()  # the kill comes before the otp is told
    otp.modem.script.append(Rejected("refused"))
    assert otp.bench.end(otp.ask()) == (State.FAILED,)
    otp.restart()
    assert otp.open == 0
    otp.request()


def test_a_kill_before_the_message_was_taken_holds_nobody_up(otp: OtpBench) -> None:
    code = otp.request()
    otp.ahead += 61
    take, otp.bench.dispatch.enqueue = otp.bench.dispatch.enqueue, _killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        otp.ask()
    otp.bench.dispatch.enqueue = take  # type: ignore[method-assign]
    otp.restart()
    assert otp.open == 1, "the one before was not replaced"
    assert otp.verify(code).code is OK


def _killed(record: Record) -> Record:
    raise KeyboardInterrupt


def test_a_file_of_another_life_or_program_is_forgotten(otp: OtpBench, caplog: pytest.LogCaptureFixture) -> None:
    otp.ahead += 5000
    code = otp.request()
    otp.ahead -= 5000  # the device was switched on anew
    otp.restart()
    assert otp.verify(code).code is WRONG
    otp.passwords.close()
    emptied = SealedFile(otp.file, KEY)
    assert emptied.entries() == []
    emptied.close()
    with_strange = SealedFile(otp.file, KEY)
    with_strange.entries()
    for payload in (b"", b"[]", b"{}", b'["a"]', b"\xff", b'["m","zz","62",1,1,1,1,"open",false]'):
        with_strange.put(payload)
    with_strange.close()
    otp.passwords = otp._open()
    assert otp.open == 0
    assert "another version" in caplog.text
    assert otp.verify(otp.request()).code is OK


def test_a_full_disk_costs_the_restart_only(otp: OtpBench, caplog: pytest.LogCaptureFixture) -> None:
    book = otp.passwords._book
    assert book._file is not None

    def full(payload: bytes) -> int:
        raise OSError(28, "No space left on device")

    put, book._file.put = book._file.put, full  # type: ignore[method-assign]
    code = otp.request()
    assert "would not survive a crash" in caplog.text
    assert otp.verify(wrong_of(code)).attempts_left == 4
    assert otp.verify(code).code is OK
    book._file.put = put  # type: ignore[method-assign]


def test_without_a_ram_disk_codes_are_in_memory_only(
    bench: DispatchBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("otppi.host.otp.one_time.on_ram_disk", lambda folder: False)
    open_passwords(values_of(OTP), bench.dispatch, tmp_path).close()
    assert not (tmp_path / "otp").exists()
    assert "do not survive a restart" in caplog.text
    monkeypatch.setattr("otppi.host.otp.one_time.on_ram_disk", lambda folder: True)
    open_passwords(values_of(OTP), bench.dispatch, tmp_path).close()
    assert (tmp_path / "otp").stat().st_mode & 0o777 == 0o600
