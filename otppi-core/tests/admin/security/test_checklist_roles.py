"""Security checklist, row Roles: every route of the pages by every role, with the right, a wrong and no token.

The routes are found by walking the tree of pages, so that a new one is in the matrix by itself. The same of every
operation of the JSON API is in `../api/test_every_operation.py` and `../test_api_access.py`.
"""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from otppi.admin.security.guard import Access
from otppi.api.errors import OtpPiError
from otppi.api.operations import Role
from otppi.testing.page_routes import page_routes
from otppi.testing.site import NAMES, Site, SiteBrowser
from otppi.testing.waiting import PATIENCE

ADMIN = NAMES[Role.ADMINISTRATOR]
TOO_OLD, MAY_NOT, LOGGED_OUT = "This page is too old", "You may not do this", "You are logged out"


ROUTES = page_routes()
PRIVATE = [(path, one) for path, one in ROUTES if one.role is not None]
every_route = pytest.mark.parametrize(("path", "access"), ROUTES, ids=[path for path, _ in ROUTES])
every_private_route = pytest.mark.parametrize(("path", "access"), PRIVATE, ids=[path for path, _ in PRIVATE])


def test_there_are_pages() -> None:
    assert {"/", "/login", "/claim", "/messages", "/administrators/edit", "/settings/sms"} <= dict(ROUTES).keys()
    assert len(PRIVATE) > 30


@every_private_route
def test_without_a_session_there_is_the_login_and_no_more(shared_site: Site, path: str, access: Access) -> None:
    browser = shared_site.browser()
    browser.get("/login")
    if "GET" in access.methods and not access.background:
        answer = browser.get(path)
        assert (answer.status, answer.text) == (303, "")
        assert answer.location.startswith("/login?next=")
    if "POST" in access.methods:
        for token in (browser.token, "", "0" * 64):
            browser.token = token
            answer = browser.post(path)
            assert (answer.status, LOGGED_OUT in answer.words) == (403, True)


@pytest.mark.parametrize("role", Role)
@every_private_route
def test_a_role_gets_what_is_its(shared_site: Site, role: Role, path: str, access: Access) -> None:
    """The role is looked at before the token, so that a wrong one shows who may without anything being done."""
    assert access.role is not None
    may, browser = role.covers(access.role), shared_site.inside(role)
    right, wrong = browser.token, shared_site.inside(Role.ADMINISTRATOR).token
    if "GET" in access.methods:
        # What a page asks for by itself may be a stream, which has no end; its head tells who may have it.
        status = browser.ask("HEAD" if access.background else "GET", path).status
        assert status in ((200, 303, 404, 405, 422, 503) if may else (403, 405)), status
    if "POST" in access.methods:
        for token in (wrong, "", *(() if may else (right,))):
            browser.token = token
            answer = browser.post(path)
            # The role of a page that is declared is looked at after the token.
            known = TOO_OLD in answer.words if may or token is not right else False
            assert (answer.status, known or (not may and MAY_NOT in answer.words)) == (403, True), token


@every_route
def test_another_method_is_refused(shared_site: Site, path: str, access: Access) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} - access.methods:
        answer = browser.post(path) if method == "POST" else browser.ask(method, path)
        assert answer.status == 405, method
        assert answer.headers["allow"] == ", ".join(sorted(access.methods))


def test_an_operation_that_wants_more_than_its_page_is_told_as_the_page_would(
    shared_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operation looks at the role, too (ASVS 5.0, 8.3.1): a page that lets too many in does nothing for them."""
    browser = shared_site.inside(Role.VIEWER)
    monkeypatch.setattr("otppi.admin.visit.Visit.may", lambda self, role: True)
    answer = browser.get("/settings/sms")
    assert (answer.status, MAY_NOT in answer.words) == (403, True)
    assert "settings_" in answer.words


# -- one administrator stays -------------------------------------------------------------------------------------------

Way = Callable[[Site, str, dict[str, Any]], bool]


def by_page(site: Site, verb: str, values: dict[str, Any]) -> bool:
    browser = site.inside(Role.ADMINISTRATOR)
    if verb == "edit":
        about = {"phone": "", "email": "", "preferred_language": "", "password": "", "username": ADMIN}
        return browser.post("/administrators/edit", about | values | {"name": ADMIN}).status == 303
    return browser.post("/administrators/switch", {"name": ADMIN, "verb": verb}).status == 303


def by_api(site: Site, verb: str, values: dict[str, Any]) -> bool:
    body = json.dumps({"arguments": {"username": ADMIN, **values}}).encode()
    program = site.inside(Role.ADMINISTRATOR)
    kind = {"Content-Type": "application/json", "X-CSRF-Token": program.token}
    return program.ask("POST", f"/admin/api/operations/administrator_{verb}", body, kind).status == 200


def by_command(site: Site, verb: str, values: dict[str, Any]) -> bool:
    return _done(lambda: site.call(f"administrator_{verb}", username=ADMIN, **values))


def by_document(site: Site, verb: str, values: dict[str, Any]) -> bool:
    """Import settings, as `otppi settings import` does."""
    changes = {"remove": None, "deactivate": {"active": False}, "block": {"blocked": True}}.get(verb, values)
    kept = site.call("settings_export", secrets=True)["administrators"]
    mine = [] if changes is None else [{**one, **changes} for one in kept if one["username"] == ADMIN]
    document = {"administrators": [*(one for one in kept if one["username"] != ADMIN), *mine]}
    return _done(lambda: site.call("settings_import", document=document))


def _done(call: Callable[[], object]) -> bool:
    try:
        call()
    except OtpPiError:
        return False
    return True


WAYS: dict[str, Way] = {"page": by_page, "JSON API": by_api, "command": by_command, "document": by_document}
AWAY: list[tuple[str, dict[str, Any]]] = [
    ("remove", {}), ("deactivate", {}), ("block", {}), ("edit", {"role": "operator"}), ("edit", {"role": "viewer"}),
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_the_last_administrator_stays_whichever_way_he_is_to_go(site: Site, way: str) -> None:
    for verb, values in AWAY:
        assert not WAYS[way](site, verb, values), verb
        (found,) = [one for one in site.call("administrators") if one["role"] == "administrator"]
        assert (found["username"], found["active"], found["blocked"]) == (ADMIN, True, False)
    assert site.inside(Role.ADMINISTRATOR).get("/settings").status == 200


@pytest.mark.parametrize("way", ["page", "JSON API", "command"])
def test_with_another_name_the_last_administrator_is_still_there(site: Site, way: str) -> None:
    before = site.inside(Role.ADMINISTRATOR)
    values = {"username": "ayu", "role": "administrator"} if way == "page" else {"new_username": "ayu"}
    assert WAYS[way](site, "edit", values)
    assert before.get("/settings").status == 303, "the session of the old name has ended"
    found = site.parts.administrators.find("ayu")
    assert found is not None
    assert found.role is Role.ADMINISTRATOR


@pytest.mark.parametrize(
    ("verb", "ways"),
    [
        ("remove", ("page", "page")),
        ("block", ("page", "page")),
        ("deactivate", ("page", "JSON API")),
        ("remove", ("JSON API", "command")),
    ],
)
def test_two_administrators_do_not_put_each_other_out_at_once(site: Site, verb: str, ways: tuple[str, str]) -> None:
    site.call("administrator_add", username="ayu", password="tikar merah di serambi", role="administrator")
    start, done = threading.Barrier(2), list[bool]()

    def put_out(way: str, name: str, other: str) -> None:
        browser = inside(site, name)
        start.wait(PATIENCE)
        done.append(_put_out(site, browser, way, verb, other))

    pairs = ((ways[0], ADMIN, "ayu"), (ways[1], "ayu", ADMIN))
    threads = [threading.Thread(target=put_out, args=pair) for pair in pairs]
    for one in threads:
        one.start()
    for one in threads:
        one.join(PATIENCE)
    assert sorted(done) == [False, True]
    left = [one for one in site.call("administrators") if one["active"] and not one["blocked"]]
    assert [one["role"] for one in left].count("administrator") == 1


def _put_out(site: Site, browser: SiteBrowser, way: str, verb: str, other: str) -> bool:
    if way == "page":
        return browser.post("/administrators/switch", {"name": other, "verb": verb}).status == 303
    if way == "command":
        return _done(lambda: site.call(f"administrator_{verb}", username=other))
    kind = {"Content-Type": "application/json", "X-CSRF-Token": browser.token}
    body = json.dumps({"arguments": {"username": other}}).encode()
    return browser.ask("POST", f"/admin/api/operations/administrator_{verb}", body, kind).status == 200


def inside(site: Site, name: str) -> SiteBrowser:
    found = site.parts.administrators.find(name)
    assert found is not None
    token = site.parts.sessions.create(name, found.stamp, secure=False, address="127.0.0.1")
    return SiteBrowser(site.port, {"otppi": token}, site.parts.tokens.of(token))
