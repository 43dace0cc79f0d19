"""The pages of backups: one is downloaded, looked at, restored, undone; on a new device in place of the claim."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.api.operations import Role
from otppi.host.backup import container
from otppi.host.backup.container import Derivation
from otppi.host.backup.staging import settings_of
from otppi.host.jobs.jobs import JobState
from otppi.host.runtime.registry import COMMAND_LINE
from otppi.testing.site import PASSWORD, Site, SiteBrowser
from otppi.testing.waiting import until

PASSPHRASE = "empat kata acak sekali"
PIN = "73917391"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive keys in no time: what that takes is the container's own test."""
    sealed = container.seal
    monkeypatch.setattr(container, "seal", lambda plain, passphrase: sealed(plain, passphrase, Derivation(1, 1, 8)))


class Restarts:
    """A site, and whether its gateway was asked to begin anew."""

    def __init__(self, folder: Path, *, claimed: bool) -> None:
        self.site = Site(folder, claimed=claimed)
        self.wanted = threading.Event()
        self.site.host.restarting.by(self.wanted.set)

    def waits(self) -> bool:
        """Whether a restore is ready for the next start."""
        return settings_of(self.site.data.path) != self.site.data.path / "settings.json"

    def goes(self, browser: SiteBrowser, location: str) -> str:
        """Look at a restore's page until it leads elsewhere, and return whereto."""
        return until(lambda: browser.get(location).location, "the restore is ready")


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Restarts]:
    made = Restarts(tmp_path, claimed=True)
    yield made
    made.site.close()


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Restarts]:
    made = Restarts(tmp_path / "new", claimed=False)
    yield made
    made.site.close()


def download(browser: SiteBrowser, path: str = "/system/backup/create") -> bytes:
    answer = browser.post(path, {"passphrase": PASSPHRASE, "again": PASSPHRASE})
    assert answer.status == 200, answer.words
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith('attachment; filename="otppi-backup-')
    assert answer.headers["content-disposition"].isascii()
    return answer.octets


def test_a_backup_is_downloaded_and_restored(one: Restarts) -> None:
    site, browser = one.site, one.site.inside(Role.ADMINISTRATOR)
    site.call("settings_set", path="modems.m0.sim_card_pin", value=PIN)
    assert "No backup yet." in browser.get("/system/backup").words
    raw = download(browser)
    assert raw.startswith(b"OTPPIBAK")
    assert "Last backup:" in browser.get("/system/backup").words
    site.call("settings_set", path="modems.m0.daily_quota", value="200")
    site.call("settings_set", path="modems.m0.sim_card_pin", value="0000")
    shown = browser.upload("/system/backup/check", {"content": raw}, {"passphrase": PASSPHRASE})
    assert shown.status == 200
    assert "Daily Quota of m0 : 200 → 0" in shown.words
    assert "PIN of m0 : changed" in shown.words
    assert PIN not in shown.text
    assert not one.waits()
    check = shown.text.split('name="check" value="')[1].partition('"')[0]
    answer = browser.post("/system/backup/restore", {"check": check})
    assert answer.location.startswith("/restoring?job=")
    assert one.goes(browser, answer.location).startswith("/services/back?after=")
    assert one.wanted.is_set()
    assert one.waits()
    late = browser.post("/settings/sms", {"_revision": "0"})
    assert late.status >= 400, "nothing is changed any more"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"passphrase": PASSPHRASE, "again": "another"}, "The two are not the same."),
        ({"passphrase": "short", "again": "short"}, "must have at least 12 characters"),
        ({}, "must have at least 12 characters"),
    ],
)
def test_a_passphrase_that_cannot_be_used_says_why(one: Restarts, given: dict[str, str], said: str) -> None:
    answer = one.site.inside(Role.ADMINISTRATOR).post("/system/backup/create", given)
    assert answer.status == 422
    assert said in answer.words
    assert 'aria-invalid="true"' in answer.text


def test_what_cannot_be_opened_says_why(one: Restarts) -> None:
    browser = one.site.inside(Role.ADMINISTRATOR)
    raw = download(browser)
    for sent, passphrase, said in (
        ({"content": raw}, "another one", "is not the one that this backup was made with"),
        ({"content": raw[:-5]}, PASSPHRASE, "is damaged or cut off"),
        ({"content": b"PK.."}, PASSPHRASE, "is no backup of OTP-Pi"),
        ({}, PASSPHRASE, "Choose a file."),
    ):
        answer = browser.upload("/system/backup/check", sent, {"passphrase": passphrase})
        assert answer.status == 422, said
        assert said in answer.words
        assert passphrase not in answer.text
    forgotten = browser.post("/system/backup/restore", {"check": "nothing"})
    until(lambda: "Not restored: nothing has changed." in browser.get(forgotten.location).words, "it has ended")
    assert not one.waits()


def test_a_restore_is_undone_from_the_page(one: Restarts) -> None:
    browser = one.site.inside(Role.ADMINISTRATOR)
    assert "/system/backup/undo" not in browser.get("/system/backup").text
    (one.site.data.path / "undo").mkdir()
    (one.site.data.path / "undo/plan.json").write_text('{"files":[],"gone":["first-steps"]}')
    assert "/system/backup/undo" in browser.get("/system/backup").text
    assert "What was changed since is lost with it." in browser.get("/system/backup/undo").words
    assert not one.wanted.is_set(), "it was only looked at"
    assert one.goes(browser, browser.post("/system/backup/undo").location).startswith("/services/back")
    assert one.wanted.is_set()


def test_only_administrators_whose_password_was_just_given(one: Restarts) -> None:
    operator = one.site.inside(Role.OPERATOR)
    assert operator.get("/system/backup").status == 403
    assert operator.post("/system/backup/create", {"passphrase": PASSPHRASE, "again": PASSPHRASE}).status == 403
    browser = one.site.inside(Role.ADMINISTRATOR)
    for session in one.site.parts.sessions.of("adi"):
        session.confirmed = -1e9
    for path in ("create", "check", "restore", "undo"):
        asked = browser.post(f"/system/backup/{path}")
        assert (asked.status, 'action="/confirm"' in asked.text) == (403, True), path
    given = {"passphrase": PASSPHRASE, "again": PASSPHRASE}
    asked = browser.post("/system/backup/create", given)
    assert asked.location == "/confirm?next=/system/backup", "a passphrase is typed anew"
    assert not one.wanted.is_set()
    assert browser.get("/system/backup").location == "/confirm?next=/system/backup"


def test_the_guide_ends_with_a_backup(one: Restarts) -> None:
    browser = one.site.inside(Role.ADMINISTRATOR)
    assert 'action="/guide/backup"' in browser.get("/guide/secure").text
    assert browser.post("/guide/backup", {"passphrase": "short", "again": "short"}).status == 422
    assert download(browser, "/guide/backup").startswith(b"OTPPIBAK")
    assert "Last backup:" in browser.get("/guide/secure").words


def test_home_reminds_after_a_day(one: Restarts) -> None:
    claim, browser = one.site.data.claim, one.site.inside(Role.ADMINISTRATOR)
    assert claim.about is not None
    assert "No backup yet." not in browser.get("/").words
    claim._mark = (claim.about[0] - 90_000, "")
    assert "No backup yet." in browser.get("/").words
    assert "No backup yet." not in one.site.inside(Role.OPERATOR).get("/").words
    download(browser)
    assert "No backup yet." not in browser.get("/").words


def test_a_new_device_is_restored_in_place_of_the_claim(one: Restarts, new: Restarts) -> None:
    raw = download(one.site.inside(Role.ADMINISTRATOR))
    browser = new.site.browser()
    assert 'href="/claim/restore"' in browser.get("/claim").text
    assert "Device code" in browser.get("/claim/restore").words
    wrong = browser.upload("/claim/restore", {"content": raw}, {"passphrase": PASSPHRASE, "code": "0000-0000"})
    assert wrong.status == 422
    assert "is not the code of this device" in wrong.words
    code = str(new.site.call("device_code")["code"])
    given = {"passphrase": PASSPHRASE, "code": code}
    shown = browser.upload("/claim/restore", {"content": raw}, given)
    assert shown.status == 200, shown.words
    assert code not in shown.text
    check = shown.text.split('name="check" value="')[1].partition('"')[0]
    answer = browser.post("/claim/restore/now", {"check": check})
    assert new.goes(browser, answer.location).startswith("/services/back?after=")
    assert new.wanted.is_set()
    assert new.waits()
    other = new.site.browser()
    other.get("/claim")
    late = other.post("/claim", {"username": "eve", "password": PASSWORD, "code": code})
    assert late.status == 422
    assert "being restored" in late.words
    assert not new.site.call("administrators")


def test_on_a_claimed_device_there_is_no_restore_for_strangers(one: Restarts) -> None:
    browser = one.site.browser()
    for answer in (browser.get("/claim/restore"), browser.post("/claim/restore/now", {"check": "x"})):
        assert answer.status in (403, 404)
    assert browser.get("/restoring?job=nothing").location == "/login"


def test_a_stranger_sees_no_other_job_by_the_restore_s_page(one: Restarts) -> None:
    site = one.site
    job = site.host.jobs.begin(site.registry, "audit", {}, COMMAND_LINE)
    until(lambda: job.state is not JobState.RUNNING, "it has ended")
    assert site.browser().get(f"/restoring?job={job.job_id}").location == "/login"


def test_what_will_not_be_in_a_backup_is_told_before_one_is_made(one: Restarts, tmp_path: Path) -> None:
    browser = one.site.inside(Role.ADMINISTRATOR)
    page = browser.get("/system/backup").words
    assert "not in it:" not in page
    large = one.site.data.path / "ingress-mqtt/session"
    large.parent.mkdir(exist_ok=True)
    large.write_bytes(b" " * 1_100_000)
    one.site.call("settings_set", path="webhook.ca_file", value=str(tmp_path / "ca.pem"))
    page = browser.get("/system/backup").words
    assert "Too large for a backup, and not in it: ingress-mqtt/session" in page
    assert f"webhook.ca_file: {tmp_path / 'ca.pem'}" in page


def test_a_backup_that_would_be_too_large_says_so(one: Restarts, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason names an argument that the form for making one has no field for."""
    monkeypatch.setattr(container, "LARGEST", 100)
    browser = one.site.inside(Role.ADMINISTRATOR)
    browser.get("/system/backup")
    answer = browser.post("/system/backup/create", {"passphrase": PASSPHRASE, "again": PASSPHRASE})
    assert (answer.status, "there is too much to be kept" in answer.words) == (422, True)
