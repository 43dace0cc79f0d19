"""The page of the certificate: shown, downloaded, brought and taken back; its key is shown to nobody."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from otppi.admin.pages.needs import needs
from otppi.admin.security.sessions import Sessions
from otppi.api.errors import InvalidSettings
from otppi.api.operations import Role
from otppi.host.gateway.certificate_operations import PROBLEMS, ends_soon
from otppi.testing.site import Site
from otppi.web import certificate
from otppi.web.certificate_facts import CertificateFacts

NOW = datetime.now(UTC)


def facts(days: float) -> CertificateFacts:
    return CertificateFacts("a", "a", 0, int((NOW + timedelta(days=days)).timestamp()), ("a",), own=True)


def test_the_page_shows_it_and_nothing_of_its_key(shared_site: Site) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    told = shared_site.call("certificate")
    page = browser.get("/system/certificate")
    assert told["fingerprint"] in page.text
    assert "localhost" in page.words
    pem = browser.get("/system/certificate/download")
    assert pem.headers["content-disposition"] == 'attachment; filename="otppi-certificate.pem"'
    assert pem.text.startswith("-----BEGIN CERTIFICATE-----")
    for text in (page.text, pem.text, str(told)):
        assert "PRIVATE" not in text
    assert shared_site.inside(Role.OPERATOR).get("/system/certificate").status == 403


def test_one_is_brought_and_taken_back(shared_site: Site) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    before = shared_site.call("certificate")["fingerprint"]
    pem, key = certificate.make(NOW)
    assert browser.get("/system/certificate/new").status == 200
    wrong = browser.upload("/system/certificate/new", {"certificate": pem})
    assert (wrong.status, "Private key: is missing" in wrong.words) == (422, True)
    nothing = browser.post("/system/certificate/new")
    assert nothing.status == 422
    assert shared_site.call("certificate")["fingerprint"] == before
    brought = browser.upload("/system/certificate/new", {"certificate": pem, "private_key": key}, {"password": ""})
    assert (brought.status, brought.location) == (303, "/system/certificate")
    after = shared_site.call("certificate")["fingerprint"]
    assert after != before
    assert "The new certificate is in use." in browser.get("/system/certificate").words
    assert browser.get("/system/certificate/back").status == 200
    assert browser.post("/system/certificate/back").status == 303
    assert shared_site.call("certificate")["fingerprint"] == before
    assert "PRIVATE" not in wrong.text


def test_a_change_wants_a_password_that_was_given_a_moment_ago(
    shared_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    monkeypatch.setattr(Sessions, "is_fresh", lambda *_: False)
    for path in ("/system/certificate/new", "/system/certificate/make", "/system/certificate/back"):
        assert browser.get(path).location.startswith("/confirm?next="), path
        assert 'action="/confirm"' in browser.post(path).text, path


def test_each_problem_has_its_words_and_names_its_field(shared_site: Site) -> None:
    pem, key = certificate.make(NOW)
    given: dict[str, Any] = {"certificate": pem.decode(), "private_key": key.decode()}
    for field, value in (("certificate", "nonsense!"), ("certificate", "x" * 200_000), ("private_key", 7)):
        with pytest.raises(InvalidSettings) as refused:
            shared_site.call("certificate_take", **given | {field: value})
        assert [one.field for one in refused.value.problems] == [field]
    for text in PROBLEMS.values():
        assert "{detail}" not in text.filled(detail="x")


@pytest.mark.parametrize(
    ("days", "said"), [(-1, "has expired"), (0.5, "ends on"), (29.5, "ends on"), (31.5, ""), (3650, "")]
)
def test_its_end_is_told_from_thirty_days_before(days: float, said: str) -> None:
    soon = ends_soon(facts(days))
    assert (soon is not None) is bool(said)
    if soon is not None:
        assert said in soon
        (need,) = needs({"ingresses": [], "power_supply": "", "warnings": [soon], "problems": []}, [])
        assert (need.key, need.link) == ("certificate-ends", "/system/certificate")
