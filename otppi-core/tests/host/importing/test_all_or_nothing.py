"""What is taken over is taken as a whole: where its settings cannot be kept, no number is blocked because of it."""

import errno
from typing import Any

import pytest

from otppi.host.settings.revisions import ChangedMeanwhile

FILES = {"api/blocking.json": {"628111111111": True, "628111111112": True}, "gsm/sms.json": {"countryCode": "60"}}


def test_what_somebody_changed_meanwhile_is_found_before_a_number_is_blocked(
    ours: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = ours.look(FILES)["revision"]
    ours.set({"sms": {"attempts": 5}})
    changes: list[Any] = []
    monkeypatch.setattr(type(ours.folder.blocklist), "change", lambda *given, **how: changes.append((given, how)))
    with pytest.raises(ChangedMeanwhile):
        ours.take_from(seen, FILES)
    assert changes == []
    assert ours.one("sms")["country_code"] == "62"


def test_settings_that_cannot_be_kept_leave_the_numbers_of_others_blocked(
    ours: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody blocks one of them while the import goes on: that one stays, and the import's own are as before."""
    blocklist, change = ours.folder.blocklist, type(ours.folder.blocklist).change

    def after_another(self: Any, numbers: Any, *, blocked: bool, by: str = "") -> Any:
        if blocked:
            change(self, ["628111111112"], blocked=True, by="rina")
        return change(self, numbers, blocked=blocked, by=by)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(blocklist), "change", after_another)
    monkeypatch.setattr(ours.folder.store, "write", full)
    with pytest.raises(OSError, match="No space left"):
        ours.take(FILES)
    assert {number: entry.by for number, entry in blocklist.entries().items()} == {"628111111112": "rina"}


def test_numbers_alone_are_taken_whatever_was_changed_meanwhile(ours: Any) -> None:
    files = {"api/blocking.json": {"628111111111": True}}
    seen = ours.look(files)["revision"]
    ours.set({"sms": {"attempts": 5}})
    assert ours.take_from(seen, files)["blocked"] == 1
