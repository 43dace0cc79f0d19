"""Forms with files: read in RAM and nowhere else, within bounds, and only by pages that take them."""

import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from otppi.admin.pages.answers import text_of
from otppi.admin.pages.root import Root
from otppi.admin.security.guard import access_at, action, form, public
from otppi.admin.uploads import LARGEST_UPLOAD, MalformedUploadError, Upload, read_form, uploaded
from otppi.api.operations import Role
from otppi.testing.page_routes import page_routes
from otppi.testing.site import Site

TYPE = "multipart/form-data; boundary=xyz"
FILE = b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
TEXT = b'--xyz\r\nContent-Disposition: form-data; name="text"\r\n\r\n'


# -- what is read ------------------------------------------------------------------------------------------------------


def test_texts_and_files_are_told_apart_and_octets_stay_what_they_are() -> None:
    octets = bytes(range(256)) + b"\r\n--xy\r\n\r\n--\n"
    fields = read_form(FILE + octets + b"\r\n" + TEXT + "é\r\nf".encode() + b"\r\n--xyz--\r\n", TYPE)
    assert fields == {"file": Upload(octets), "text": "é\r\nf"}
    assert uploaded(fields, "file") == octets
    assert uploaded(fields, "text") is None
    assert (text_of(fields, "file"), text_of(fields, "text")) == ("", "é\r\nf")


def test_a_name_that_comes_several_times_is_a_list() -> None:
    body = b"".join(part + value + b"\r\n" for part, value in ((TEXT, b"1"), (FILE, b"2"), (TEXT, b""), (FILE, b"3")))
    fields = read_form(body + b"--xyz--", TYPE)
    assert fields == {"text": ["1", ""], "file": [Upload(b"2"), Upload(b"3")]}
    assert uploaded(fields, "file") == b"2"


def test_no_file_chosen_is_none() -> None:
    assert uploaded(read_form(FILE + b"\r\n--xyz--\r\n", TYPE), "file") is None


def test_what_a_file_is_called_is_not_kept() -> None:
    named = FILE.replace(b"a.csv", '../../etc/; name="text"'.replace('"', "%22").encode())
    (found,) = read_form(named + b"1\r\n--xyz--", TYPE).items()
    assert found == ("file", Upload(b"1"))
    assert "1" not in repr(found)


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", f"{TYPE[:-3]}", f"{TYPE}{'x' * 70}", "multipart/form-data; boundary=\r\n", ""]
)
def test_a_boundary_that_is_none_is_refused(kind: str) -> None:
    with pytest.raises(MalformedUploadError):
        read_form(TEXT + b"1\r\n--xyz--", kind)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"--xyz", b"--xyz--x" * 2 + b"\r\n--xyz", TEXT + b"1", TEXT + b"1\r\n--xyz\r\n", b"\0" * 5000,
        b"--xyz\r\n\r\n1\r\n--xyz--", b'--xyz\r\nContent-Disposition: form-data; filename="a"\r\n\r\n1\r\n--xyz--',
        b"--xyz\r\nContent-Disposition: form-data; name=\xff\r\n\r\n1\r\n--xyz--", TEXT + b"\xff\r\n--xyz--",
        b"--xyz\r\n" + b"X: y\r\n" * 1000 + TEXT[7:] + b"1\r\n--xyz--", (TEXT + b"\r\n") * 101 + b"--xyz--",
    ],
)  # fmt: skip
def test_what_no_browser_writes_is_refused_without_quoting_it(body: bytes) -> None:
    with pytest.raises(MalformedUploadError) as caught:
        read_form(body, TYPE)
    assert caught.value.__cause__ is None
    assert "xff" not in str(caught.value)


def test_a_hundred_parts_are_read() -> None:
    assert read_form((TEXT + b"\r\n") * 100 + b"--xyz--", TYPE) == {"text": [""] * 100}


# -- over HTTP ---------------------------------------------------------------------------------------------------------


class Trial:
    """Pages that take files; what they were given is kept for the test to see."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []

    def _note(self, fields: dict[str, Any]) -> bytes:
        self.taken.append(fields)
        return b""

    @form(Role.OPERATOR, uploads=True)
    def index(self, **fields: Any) -> bytes:
        """Take files, and texts."""
        return self._note(fields)

    @action(Role.OPERATOR)
    def texts(self, **fields: Any) -> bytes:
        """Take texts only."""
        return self._note(fields)

    @public("POST", uploads=True)
    def strangers(self, **fields: Any) -> bytes:
        """Take files of whoever comes to a new device."""
        return self._note(fields)


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> Trial:
    one = Trial()

    class WithTrial(Root):
        def __init__(self, parts: Any) -> None:
            super().__init__(parts)
            self.trial = one

    monkeypatch.setattr("otppi.admin.application.Root", WithTrial)
    return one


opened: list[str] = []
watched = threading.Event()


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and watched.is_set():
        opened.append(f"{threading.current_thread().name}: {arguments[0]}")


@contextmanager
def watching() -> Iterator[list[str]]:
    """Note each file that is opened, by which thread; also such as have no name."""
    if not hasattr(sys, "otppi_watches_files"):
        sys.addaudithook(_note)  # one can never be taken away again
        sys.otppi_watches_files = True  # type: ignore[attr-defined]  # a mark of ours
    opened.clear()
    watched.set()
    try:
        yield opened
    finally:
        watched.clear()


def test_no_upload_is_ever_in_a_file(trial: Trial, site: Site) -> None:
    """CherryPy makes one of each part above 1,000 octets, and of each file."""
    browser = site.inside(Role.OPERATOR)
    browser.upload("/trial", {"file": b""})  # what is loaded once is loaded
    octets = b"0812000000\r\n" * 300_000
    with watching() as files:
        answer = browser.upload("/trial", {"file": octets}, {"text": "x" * 5000})
        tempfile.TemporaryFile().close()
    assert answer.status == 200
    assert [one for one in files if one.startswith("pages")] == []
    assert files, "what makes such files is seen"
    assert uploaded(trial.taken[-1], "file") == octets
    assert trial.taken[-1]["text"] == "x" * 5000
    assert "form_token" not in trial.taken[-1]


def test_an_upload_is_bounded_and_a_form_beside_it_stays_so(trial: Trial, site: Site) -> None:
    browser = site.inside(Role.OPERATOR)
    assert browser.upload("/trial", {"file": b"1" * (LARGEST_UPLOAD - 1000)}).status == 200
    assert browser.upload("/trial", {"file": b"1" * LARGEST_UPLOAD}).status == 413
    assert browser.post("/trial", {"text": "1" * 100_000}).status == 413
    assert browser.post("/trial", {"text": "1"}).status == 200
    assert len(trial.taken) == 2


def test_pages_that_take_no_files_read_none(trial: Trial, site: Site) -> None:
    browser = site.inside(Role.OPERATOR)
    assert browser.upload("/trial/texts", {"file": b"1"}).status == 415
    assert browser.upload("/trial/texts", {"file": b"1" * 100_000}).status == 413
    for kind in ("multipart/mixed; boundary=x", "application/json", "text/plain", ""):
        assert browser.ask("POST", "/trial", b"--x--", {"Content-Type": kind} if kind else {}).status == 415
    assert browser.ask("POST", "/trial", b"--x--", {"Content-Type": "Multipart/Form-Data; boundary=x"}).status == 403
    assert browser.ask("POST", "/trial", b"--y--", {"Content-Type": "multipart/form-data; boundary=x"}).status == 400
    assert not trial.taken


def test_an_upload_needs_role_and_token_as_each_form_does(trial: Trial, site: Site) -> None:
    assert site.inside(Role.VIEWER).upload("/trial", {"file": b"1"}).status == 403
    browser = site.inside(Role.OPERATOR)
    browser.token = "0" * 64
    answer = browser.upload("/trial", {"file": b"1"})
    assert (answer.status, "too old" in answer.words) == (403, True)
    assert browser.upload("/trial", {"file": b"1"}, Origin="http://elsewhere.example").status == 403
    stranger = site.browser()
    stranger.get("/login")
    answer = stranger.upload("/trial", {"file": b"1"})
    assert (answer.status, "log in" in answer.words.lower()) == (403, True)
    assert not trial.taken


def test_no_stranger_fills_the_memory_of_a_device_that_has_an_administrator(trial: Trial, site: Site) -> None:
    stranger = site.browser()
    stranger.get("/login")
    assert stranger.upload("/trial", {"file": b"1" * 100_000}).status == 413
    assert stranger.upload("/trial/strangers", {"file": b"1" * 100_000}).status == 413
    assert not trial.taken


def test_who_claims_a_new_device_may_upload(trial: Trial, new_site: Site) -> None:
    stranger = new_site.browser()
    stranger.get("/claim")
    assert stranger.upload("/trial/strangers", {"file": b"1" * 100_000}).status == 200
    assert stranger.upload("/trial", {"file": b"1" * 100_000}).status == 413
    assert len(trial.taken) == 1


def test_the_gate_knows_each_page_that_takes_files(shared_site: Site) -> None:
    tree = Root(shared_site.parts)
    wanted = {path: one for path, one in page_routes() if one.uploads}
    assert wanted
    assert {path: access_at(tree, path) for path in wanted} == wanted


def test_a_form_with_a_file_is_not_carried_through_a_login(trial: Trial, site: Site) -> None:
    """What was typed is, elsewhere; but a file has to be chosen once more."""
    browser = site.browser()
    browser.get("/login")
    answer = browser.upload("/trial", {"file": b"secret of a file"}, {"text": "typed"})
    assert answer.status == 403
    assert "secret of a file" not in answer.text
    assert not trial.taken


def test_a_few_long_uploads_at_once_are_all_that_there_are(trial: Trial, new_site: Site) -> None:
    """They are in RAM before anything of them is looked at, and on a new device whoever comes may send some."""
    stranger = new_site.browser()
    stranger.get("/claim")
    statuses = [stranger.upload("/trial/strangers", {"file": b"1" * 100_000}).status for _ in range(5)]
    assert statuses == [200, 200, 200, 503, 503]
    assert stranger.upload("/trial/strangers", {"file": b"1" * 1000}).status == 200, "a short one is as any form"
    assert len(trial.taken) == 4


def test_a_cookie_that_another_port_has_set_stops_no_upload(trial: Trial, site: Site) -> None:
    browser = site.inside(Role.OPERATOR)
    browser.get("/trial")
    browser.cookies = {"otppi": f"of-another-port; otppi={browser.cookies['otppi']}"}
    assert browser.upload("/trial", {"file": b"1" * 100_000}).status == 200
