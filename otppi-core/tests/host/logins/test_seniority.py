"""Who asked first keeps the place, within bounds."""

import pytest

from otppi.host.logins import seniority
from otppi.host.logins.seniority import Seniority


def test_who_was_sent_away_has_asked_first_until_it_is_checked() -> None:
    kept = Seniority()
    assert kept.first_asked(b"a", 10.0) == 10.0
    kept.sent_away(b"a", "n", 10.0, 11.0)
    kept.sent_away(b"a", "n", 20.0, 21.0)
    assert kept.first_asked(b"a", 30.0) == 10.0
    kept.done(b"a")
    kept.done(b"a")
    assert kept.first_asked(b"a", 40.0) == 40.0


def test_a_flood_neither_fills_the_memory_nor_drives_out_who_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seniority, "_KEPT", 50)
    kept = Seniority()
    kept.sent_away(b"right", "home", 1.0, 1.0)
    for number in range(1_000):
        kept.sent_away(b"%d" % number, f"n{number % 3}", 2.0, 2.0)
        kept.sent_away(b"other %d" % number, f"other {number}", 2.0, 2.0)
    assert len(kept._first) == 50
    assert max(kept._networks.values()) <= 16
    assert kept.first_asked(b"right", 3.0) == 1.0
    kept.sent_away(b"much later", "home", 700.0, 700.0)
    assert kept.first_asked(b"much later", 800.0) == 700.0
    assert len(kept._first) == len(kept._networks) == 1
