"""Which passwords are taken: by length and by how hard they are to guess, judged in a process of its own."""

import subprocess
import sys
from typing import Any

import pytest
import zxcvbn

from otppi.api.errors import Busy
from otppi.host.administrators import passwords
from otppi.host.administrators.passwords import own_words, password_problem
from otppi.host.administrators.settings import LONGEST, SHORTEST, length_problem
from otppi.host.administrators.strength import WEAKNESSES, judged, weakness_of

ABOUT = ("budi", "081234567890", "budi.santoso@example.com")


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("", "is required"),
        ("x" * (SHORTEST - 1), "must be at least 10 characters long"),
        ("x" * (LONGEST + 1), "must be at most 128 characters long"),
        ("budi081234567890", "name, number or address of the account"),
        ("qwertyuiop12", "passwords that are used most"),
        ("x" * LONGEST, "repeats itself"),
    ],
)
def test_what_is_wrong_with_a_password_is_named(password: str, says: str) -> None:
    problem = password_problem(password, ABOUT)
    assert problem is not None
    assert says in problem
    assert not password or password not in problem


@pytest.mark.parametrize("password", ["kuda makan batu hijau", "Xk29fLq0z81", "пароль для шлюза", "lari 🐎 ke bulan"])
def test_a_good_password_needs_no_special_characters(password: str) -> None:
    """ASVS 5.0 6.2.5: no composition rules."""
    assert password_problem(password, ABOUT) is None


@pytest.mark.parametrize(
    ("password", "weakness"),
    [
        ("bismillah12", "own"),
        ("merdeka1945", "own"),
        ("santoso-budi", "own"),
        ("otp-pi2026", "own"),
        ("rahasiaku123", "own"),
        ("1234567890", "known"),
        ("p@ssword123", "known"),
        ("zxcvfr45tgb", "keyboard"),
        ("abcabcabcabc", "repeat"),
        ("klmnopqrstuv", "sequence"),
        ("19051987aa", "date"),
    ],
)
def test_what_is_guessed_first_is_weak(password: str, weakness: str) -> None:
    """ASVS 5.0 6.2.4, 6.2.11."""
    answer = judged(password, own_words(ABOUT))
    assert (answer["weakness"], answer["score"] < passwords.LEAST_SCORE) == (weakness, True)


def test_every_weakness_has_a_sentence() -> None:
    assert set(passwords._REASONS) == set(WEAKNESSES)
    assert len(set(passwords._REASONS.values())) == len(WEAKNESSES)


@pytest.mark.parametrize(
    ("pattern", "weakness"),
    [
        *[("spatial", "keyboard"), ("repeat", "repeat"), ("sequence", "sequence"), ("date", "date"), ("regex", "date")],
        *[("bruteforce", "short"), ("dictionary", "word")],
    ],
)
def test_each_pattern_of_zxcvbn_is_a_weakness(pattern: str, weakness: str) -> None:
    parts: list[dict[str, Any]] = [
        {"pattern": "bruteforce", "token": "much longer than all of the others"},
        {"pattern": pattern, "token": "abc", "dictionary_name": "english_wikipedia"},
    ]
    assert weakness_of(parts) == weakness


def test_a_long_password_is_judged_by_its_beginning_and_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def scored(password: str, user_inputs: list[str]) -> dict[str, Any]:
        assert user_inputs
        asked.append(password)
        return {"score": 4, "sequence": []}

    monkeypatch.setattr(zxcvbn, "zxcvbn", scored)
    assert judged("x" * LONGEST, []) == {"score": 4, "weakness": "short"}
    assert asked == ["x" * 40]


def test_the_words_of_an_account_and_their_parts_are_known() -> None:
    words = own_words(("budi", "", "budi.santoso@example.com"))
    assert {"budi", "santoso", "example", "budi.santoso@example.com", "otp-pi"} <= set(words)
    assert "" not in words
    assert len(set(words)) == len(words)


def test_the_password_is_no_argument_and_stays_in_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    run, started = subprocess.run, list[Any]()

    def watched(command: list[str], **options: Any) -> Any:
        started.append((command, {key: value for key, value in options.items() if key != "input"}))
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", watched)
    assert password_problem("kuda makan batu hijau", ABOUT) is None
    assert len(started) == 1
    assert "kuda" not in repr(started)


@pytest.mark.parametrize("trouble", ["no interpreter", "too slow", "no answer", "fails"])
def test_what_cannot_be_judged_is_not_taken(
    trouble: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if trouble == "no interpreter":
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
    elif trouble == "too slow":
        monkeypatch.setattr(passwords, "_TIMEOUT", 0.001)
    else:
        monkeypatch.setattr(sys, "executable", "/bin/true" if trouble == "no answer" else "/bin/false")
    with pytest.raises(Busy, match="could not be checked"):
        password_problem("kuda makan batu hijau", ABOUT)
    assert "could not be judged" in caplog.text
    assert "kuda" not in caplog.text


def test_the_gateway_itself_never_loads_the_dictionaries() -> None:
    script = (
        "import sys; from otppi.host.administrators.passwords import password_problem\n"
        "assert password_problem('kuda makan batu hijau', ()) is None\n"
        "print('zxcvbn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_the_length_alone_is_checked_without_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", None)
    assert length_problem("x" * SHORTEST) is length_problem("x" * LONGEST) is length_problem("") is None
    for password in ("x" * (SHORTEST - 1), "x" * (LONGEST + 1)):
        assert length_problem(password)
        assert password_problem(password, ()) == length_problem(password)
