"""The settings that a device comes with: taken once, in layers, and never what keeps it from starting."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.host.administrators.page import ADMINISTRATION
from otppi.host.administrators.settings import ADMINISTRATORS
from otppi.host.core import check_first_settings, load_plugins
from otppi.host.data_folder import DataFolder
from otppi.host.messages.settings import SMS
from otppi.host.settings.config import Config
from otppi.host.settings.first_settings import laid_over
from otppi.host.storage import store
from otppi.kit.files import replace_whole

SECRET = "RAHASIA-9914"
IMAGE = {"administration": {"access_point": "wlan0"}, "sms": {"country_code": "60", "report_months": 3}}
OWN = {"administration": {"host_names": ["otp.example"]}, "sms": {"country_code": "62"}}
WRONG = {"sms": {"country_code": "x", "nonsense": 1}, "webhook": {"secret": SECRET, "url": 7}}

ADMINISTRATOR = {"username": "rina", "password": "kursi hijau di teras", "role": "administrator"}

Open = Callable[..., DataFolder]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens the data folder, after the one before was closed, as each start does."""
    folders: list[DataFolder] = []

    def again(*, anew: bool = False) -> DataFolder:
        while folders:
            folders.pop().close()
        folders.append(DataFolder(tmp_path / "data", plugins=load_plugins([]), anew=anew))
        return folders[-1]

    yield again
    while folders:
        folders.pop().close()


def written(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_they_are_taken_in_their_order_later_ones_on_top(opened: Open, tmp_path: Path) -> None:
    data = opened()
    image, own = written(tmp_path / "image.json", IMAGE), written(data.path / "first-settings.json", OWN)
    data.first_settings.adopt([image, tmp_path / "not-there.json", own])
    for one in (data, opened()):
        pages, sms = one.config.one(ADMINISTRATION), one.config.one(SMS)
        assert (pages["access_point"], pages["host_names"]) == ("wlan0", ["otp.example"])
        assert (sms["country_code"], sms["report_months"]) == ("62", 3)
        assert one.first_settings.warnings() == []


def test_what_may_hold_secrets_is_removed_from_the_data_folder_and_from_nowhere_else(
    opened: Open, tmp_path: Path
) -> None:
    data = opened()
    image, own = written(tmp_path / "image.json", IMAGE), written(data.path / "first-settings.json", WRONG)
    other = written(data.path / "administration" / "first.json", OWN)
    data.first_settings.adopt([image, Path(f"{data.path}/../data/first-settings.json"), other])
    assert not own.exists()
    assert image.exists()
    assert other.exists(), "of a folder in it nothing is said"


def test_where_there_are_settings_nothing_is_taken(opened: Open, tmp_path: Path) -> None:
    """Also after a power cut between the write of the settings and the end of the file that they came from."""
    data = opened()
    data.config.update({"sms": {"country_code": "65"}})
    own = written(data.path / "first-settings.json", OWN)
    image = written(tmp_path / "image.json", IMAGE)
    data.first_settings.adopt([image, own])
    assert data.config.one(SMS)["country_code"] == "65"
    assert data.config.one(ADMINISTRATION)["access_point"] == ""
    assert not own.exists()
    assert image.exists()


def test_after_settings_were_lost_nothing_is_taken(opened: Open, tmp_path: Path) -> None:
    data = opened()
    data.config.update({"sms": {"country_code": "65"}})
    for name in ("settings.json", "settings.json.bak"):
        (data.path / name).write_bytes(b"")
    data = opened(anew=True)
    data.first_settings.adopt([written(tmp_path / "image.json", IMAGE)])
    assert data.config.one(ADMINISTRATION)["access_point"] == ""


def test_it_is_one_write_so_that_no_power_cut_leaves_half_of_them(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = opened()
    writes = []

    def noted(path: Path, content: bytes, **more: Any) -> None:
        if path.name == "settings.json":
            writes.append(content)
        replace_whole(path, content, **more)

    monkeypatch.setattr(store, "replace_whole", noted)
    files = [written(tmp_path / "image.json", IMAGE), written(data.path / "first-settings.json", OWN)]
    data.first_settings.adopt(files)
    assert len(writes) == 1


def test_a_wrong_one_is_told_and_the_others_are_taken(
    opened: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = opened()
    files = [written(tmp_path / f"{name}.json", one) for name, one in (("a", IMAGE), ("b", WRONG), ("c", OWN))]
    data.first_settings.adopt(files)
    assert data.config.one(ADMINISTRATION)["access_point"] == "wlan0"
    assert data.config.one(SMS)["country_code"] == "62"
    (told,) = data.first_settings.warnings()
    assert told in data.warnings()
    assert told.startswith(f"the settings that came with the card ({files[1]}) were not taken: ")
    for field in ("sms.country_code", "sms.nonsense", "webhook.url"):
        assert field in told
        assert field in caplog.text
    assert SECRET not in told + caplog.text
    (again,) = opened().first_settings.warnings()
    assert again == told, "it may have been switched off before anybody looked"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not JSON"),
        ("[" * 200_000, "is nested too deeply"),
        ("[]", "must be an object of sections"),
        ('"\udcff"', "is not UTF-8"),
        (" " * 1_100_000, "is longer than"),
        (f'{{"sms": {{"queue_size": {"9" * 5_000}}}}}', "has a number of too many digits"),
    ],
)
def test_one_that_cannot_be_read_is_told(opened: Open, tmp_path: Path, content: str, reason: str) -> None:
    data = opened()
    broken = tmp_path / "broken.json"
    broken.write_bytes(content.encode("utf-8", "surrogateescape"))
    data.first_settings.adopt([broken, written(tmp_path / "image.json", IMAGE)])
    assert data.config.one(ADMINISTRATION)["access_point"] == "wlan0"
    (told,) = data.first_settings.warnings()
    assert f"document: {reason}" in told


def test_name_that_is_no_utf_8_is_told(opened: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The gateway ended before it began, at each start: what was refused could not be noted."""
    data = opened()
    (tmp_path / "broken.json").write_text(r'{"\ud800": 1, "sms": {"\udfff": 1}}')
    data.first_settings.adopt([tmp_path / "broken.json", written(tmp_path / "image.json", IMAGE)])
    assert data.config.one(ADMINISTRATION)["access_point"] == "wlan0"
    (told,) = data.first_settings.warnings()
    assert "?: is not a section" in told
    assert opened().first_settings.warnings() == [told]
    assert "?: is not a section" in caplog.text.encode().decode()  # a log in UTF-8 takes it


def test_one_that_is_no_file_is_told(opened: Open, tmp_path: Path) -> None:
    data = opened()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    data.first_settings.adopt([tmp_path / "folder", tmp_path / "link"])
    assert [one.partition("document: ")[2] for one in data.first_settings.warnings()] == [
        "cannot be read: Is a directory",
        "cannot be read: No such file or directory",
    ]


def test_many_faults_are_counted(opened: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = opened()
    data.first_settings.adopt([written(tmp_path / "a.json", {f"none-{number}": {} for number in range(20)})])
    (told,) = data.first_settings.warnings()
    assert told.endswith("; and 12 more")
    assert caplog.text.count("is not a section") == 20


def test_it_is_told_until_somebody_has_set_what_it_was_to_set(opened: Open, tmp_path: Path) -> None:
    data = opened()
    data.first_settings.adopt([written(tmp_path / "a.json", WRONG)])
    data.config.update({"administrators": [ADMINISTRATOR]})
    data.config.update({"inbox": {"kept_hours": 3}})
    data.tidy()
    assert len(data.first_settings.warnings()) == 1, "that an administrator was made sets nothing of it"
    data.config.update({"sms": {"country_code": "65"}})
    assert data.first_settings.warnings() == []
    data.tidy()
    assert not (data.path / "first-settings.refused").exists()
    assert opened().first_settings.warnings() == []


def test_on_a_card_that_takes_nothing_they_are_used_and_wanted_again(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = opened()
    own = written(data.path / "first-settings.json", OWN)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(store, "replace_whole", refuse)
    data.first_settings.adopt([own])
    assert data.config.one(SMS)["country_code"] == "62"
    assert own.exists()
    monkeypatch.undo()
    data = opened()
    data.first_settings.adopt([own])
    assert not own.exists()
    assert opened().config.one(SMS)["country_code"] == "62"


def test_a_damaged_note_of_what_was_refused_is_no_reason_not_to_start(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    data = opened()
    for content in ("", "[1]", '[{"file": "x"}]', "\xff", '{"a": 1}'):
        (data.path / "first-settings.refused").write_text(content, "latin-1")
        assert opened().first_settings.warnings() == []
    assert "first-settings.refused cannot be read" in caplog.text


def test_an_administrator_may_come_with_it(opened: Open, tmp_path: Path) -> None:
    data = opened()
    data.first_settings.adopt([written(data.path / "first-settings.json", {"administrators": [ADMINISTRATOR]})])
    data.start()
    (made,) = data.config.many(ADMINISTRATORS)
    assert made["password_hash"].startswith("$argon2id$")
    assert (data.path / "claimed").exists()


# -- layers ------------------------------------------------------------------------------------------------------------


def together(config: Config, *documents: object) -> Any:
    whole, problems = laid_over(config, documents)
    assert not any(problems)
    return whole


def test_a_list_takes_the_place_of_the_one_before(opened: Open) -> None:
    users = [{"username": "app", "password": SECRET}], [{"username": "other", "password": SECRET}]
    found = together(opened().config, {"api_users": users[0]}, {"api_users": users[1]})
    assert found == {"api_users": users[1]}


def test_a_document_may_have_the_form_in_which_settings_are_kept(opened: Open) -> None:
    found = together(opened().config, {"sms": {"1": {"country_code": "60"}}}, {"sms": {"report_months": 3}})
    assert found == {"sms": {"country_code": "60", "report_months": 3}}


def test_the_revision_of_another_device_counts_for_nothing(opened: Open) -> None:
    assert together(opened().config, {"revision": 17, "sms": {}}) == {"sms": {}}


def test_what_does_not_go_together_is_the_fault_of_the_later_one() -> None:
    pages = {"administration": {"port": 8899}}
    shared = [{"administration": {"port": 9000}}, {"ingress-rest": {"http_port": 9000}}]
    plugins = load_plugins()
    assert check_first_settings([pages], plugins)[0], "the default of the API is there already"
    first, second = check_first_settings(shared, plugins)
    assert first == []
    assert [one.field for one in second] == ["ingress-rest.http_port"]


def test_documents_are_checked_without_a_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    good, wrong = check_first_settings([IMAGE, WRONG])
    assert good == []
    assert {one.field for one in wrong} == {"sms.country_code", "sms.nonsense", "webhook.url"}
    assert list(tmp_path.iterdir()) == []


def test_nothing_of_them_is_logged(opened: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    data = opened()
    document = {"webhook": {"url": "http://127.0.0.1:9/x", "secret": SECRET}}
    data.first_settings.adopt([written(data.path / "first-settings.json", document)])
    assert data.config.one("webhook")["secret"] == SECRET
    assert SECRET not in caplog.text
