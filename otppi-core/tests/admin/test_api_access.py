"""The JSON API behind the pages' own gate, over real HTTP: logging in, sessions, tokens, origins, and the document's
own commands."""

import json
import os
import re
import socket
import subprocess
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from otppi.api.operations import Role
from otppi.host.runtime.registry import COMMAND_LINE
from otppi.testing.waiting import PATIENCE

DOCUMENT = Path(__file__).parents[3] / "docs/administration-api.md"
PASSWORD = "kursi hijau di teras"
JSON = {"Content-Type": "application/json"}
API = "/admin/api"


def ask(browser: Any, method: str, path: str, content: Any = None, **headers: str) -> tuple[int, Any, Any]:
    """Ask the API as a program does, with the cookies that it has; give status, content and header fields."""
    body = None if content is None else json.dumps(content).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = browser.ask(method, f"{API}/{path}", body, (JSON if body is not None else {}) | named)
    return answer.status, json.loads(answer.text) if answer.text else None, answer.headers


def log_in(browser: Any, name: str = "adi", password: str = PASSWORD, **more: str) -> tuple[int, Any, Any]:
    return ask(browser, "POST", "session", {"username": name, "password": password, **more})


def kind(told: Any) -> str:
    return str(told["type"]).rpartition("/")[2]


# -- sessions ----------------------------------------------------------------------------------------------------------


def test_a_program_logs_in_asks_changes_and_logs_out(site: Any) -> None:
    program = site.browser()
    status, session, fields = log_in(program)
    assert (status, session["username"], session["role"], session["fresh"]) == (200, "adi", "administrator", True)
    cookie = fields["set-cookie"]
    assert re.fullmatch(r"otppi=[\w-]{43}; Path=/; HttpOnly; SameSite=Strict", cookie)
    assert (fields["cache-control"], fields["x-content-type-options"]) == ("no-store", "nosniff")
    assert ask(program, "GET", "session")[1] == session
    status, told, _fields = ask(program, "GET", "operations/status")
    assert (status, told["result"]["modems"][0]["modem_id"]) == (200, "m0")
    block = ("POST", "operations/block_add", {"arguments": {"receiver": "081200000001"}})
    status, told, _fields = ask(program, *block, X_CSRF_Token=session["token"])
    assert (status, told["result"]["changed"]) == (200, True)
    assert [one["by"] for one in site.call("blocked")] == ["administration/adi"]
    assert ask(program, "DELETE", "session")[0] == 403
    status, told, fields = ask(program, "DELETE", "session", X_CSRF_Token=session["token"])
    assert (status, told) == (200, {"ended": True})
    assert fields["clear-site-data"] == '"cache", "storage"'
    assert (site.call("audit")[0]["operation"], site.call("audit")[0]["actor"]) == ("logout", "adi")
    assert "Max-Age=0" in fields["set-cookie"]
    program.cookies["otppi"] = cookie.partition("=")[2].partition(";")[0]
    assert ask(program, "GET", "session")[0] == ask(program, "GET", "operations")[0] == 401


def test_who_is_not_logged_in_is_told_in_json_and_sent_nowhere(shared_site: Any) -> None:
    stranger = shared_site.browser()
    for method, path in (
        ("GET", "operations"), ("GET", "operations/status"), ("POST", "operations/block_add"), ("GET", "openapi.json"),
        ("GET", "settings"), ("GET", "session"), ("DELETE", "session"), ("GET", "nothing"), ("PUT", "session"),
    ):  # fmt: skip
        status, told, fields = ask(stranger, method, path, {} if method == "POST" else None)
        assert (status, kind(told), fields["content-type"]) == (401, "not-logged-in", "application/problem+json")
        assert "location" not in fields
        assert "set-cookie" not in fields


@pytest.mark.parametrize(
    ("credentials", "status", "name"),
    [
        ({"username": "adi", "password": "wrong password 1"}, 401, "wrong-login"),
        ({"username": "nobody", "password": PASSWORD}, 401, "wrong-login"),
        ({"username": "adi"}, 422, "invalid"),
        ({"password": PASSWORD}, 422, "invalid"),
        ({"username": "adi", "password": 1}, 422, "invalid"),
        ({"username": "adi", "password": PASSWORD, "code": None}, 422, "invalid"),
        ({"username": "adi", "password": PASSWORD, "remember": True}, 422, "invalid"),
        ([], 400, "malformed"),
    ],
)
def test_a_login_that_is_wrong(site: Any, credentials: Any, status: int, name: str) -> None:
    got, told, fields = ask(site.browser(), "POST", "session", credentials)
    assert (got, kind(told)) == (status, name)
    assert "set-cookie" not in fields
    assert PASSWORD not in json.dumps(told)


def test_a_login_is_json_and_of_this_origin_only(site: Any) -> None:
    form = {"Content-Type": "text/plain"}
    body = json.dumps({"username": "adi", "password": PASSWORD}).encode()
    assert site.browser().ask("POST", f"{API}/session", body, form).status == 415
    elsewhere = {"Origin": "http://evil.example"}
    answer = site.browser().ask("POST", f"{API}/session", body, JSON | elsewhere)
    assert (answer.status, json.loads(answer.text)["errors"][0]["field"]) == (403, "Origin")


def test_guessing_is_slowed_down_and_told_for_how_long(site: Any) -> None:
    program = site.browser()
    answers = [log_in(program, password=f"wrong password {number}") for number in range(12)]
    status, told, fields = answers[-1]
    assert (status, kind(told)) == (429, "throttled")
    assert int(fields["retry-after"]) > 0
    assert {one[0] for one in answers} == {401, 429}


def test_a_second_factor_is_wanted_where_it_is_on(site: Any) -> None:
    import pyotp

    secret = site.call("totp_new", username="adi")["secret"]
    site.call("administrator_totp_on", username="adi", secret=secret, code=pyotp.TOTP(secret).now())
    program = site.browser()
    assert kind(log_in(program)[1]) == "code-wanted"
    assert kind(log_in(program, password="wrong password 1")[1]) == "wrong-login"
    assert kind(log_in(program, code="12345678")[1]) == "wrong-login"
    codes = site.call("administrator_recovery_codes", username="adi")["recovery_codes"]
    assert log_in(program, code=codes[0])[0] == 200
    assert kind(log_in(site.browser(), code=codes[0])[1]) == "wrong-login"


def test_a_new_login_ends_the_session_that_there_was(site: Any) -> None:
    program = site.browser()
    log_in(program)
    before = program.cookies["otppi"]
    log_in(program)
    assert program.cookies["otppi"] != before
    program.cookies["otppi"] = before
    assert ask(program, "GET", "session")[0] == 401


def test_a_session_ends_with_the_right_to_be_there(site: Any) -> None:
    program = site.inside(Role.OPERATOR)
    assert ask(program, "GET", "session")[1]["role"] == "operator"
    site.call("administrator_edit", username="oki", role="viewer")
    assert ask(program, "GET", "session")[0] == 401


# -- what belongs to a session ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_the_role_is_that_of_the_session(shared_site: Any, role: Role) -> None:
    program = shared_site.inside(role)
    names = [one["name"] for one in ask(program, "GET", "operations")[1]["operations"]]
    assert names == [one.name for one in shared_site.registry.operations.values() if role.covers(one.role)]
    status, _told, _fields = ask(program, "GET", "operations/settings_show")
    assert status == (200 if role is Role.ADMINISTRATOR else 403)


@pytest.mark.parametrize("token", ["", "0" * 64, "another", "\xfc"])
def test_what_may_change_something_needs_the_token(shared_site: Any, token: str) -> None:
    program = shared_site.inside(Role.ADMINISTRATOR)
    for method, path in (("POST", "operations/status"), ("POST", "operations/nothing"), ("DELETE", "session")):
        content: Any = {} if method == "POST" else None
        status, told, _fields = ask(program, method, path, content, X_CSRF_Token=token)
        assert (status, kind(told)) == (403, "wrong-token")
    other = shared_site.inside(Role.VIEWER)
    assert ask(program, "POST", "operations/status", {}, X_CSRF_Token=other.token)[0] == 403
    assert ask(program, "POST", "operations/status", {}, X_CSRF_Token=program.token)[0] == 200


@pytest.mark.parametrize("role", [*Role, None])
def test_no_operation_is_reached_without_a_session_and_its_token(shared_site: Any, role: Role | None) -> None:
    """Every operation, by either method; what is not reached is not even audited."""
    program = shared_site.browser() if role is None else shared_site.inside(role)
    other = shared_site.inside(Role.ADMINISTRATOR).token
    before = shared_site.call("audit", limit=1000)
    for name in shared_site.registry.operations:
        path = f"operations/{name}"
        for token in ("", other):
            status, told, _fields = ask(program, "POST", path, {"arguments": {}}, X_CSRF_Token=token)
            assert (status, kind(told)) == ((401, "not-logged-in") if role is None else (403, "wrong-token")), name
        if role is None:
            assert ask(program, "GET", path)[0] == 401, name
    assert shared_site.call("audit", limit=1000) == before


@pytest.mark.parametrize(
    ("headers", "status", "name"),
    [
        ({"Origin": "http://127.0.0.1:1"}, 403, "wrong-token"),
        ({"Origin": "null"}, 403, "wrong-token"),
        ({"Sec_Fetch_Site": "same-site"}, 403, "wrong-token"),
        ({"Sec_Fetch_Site": "cross-site"}, 403, "wrong-token"),
        ({"Host": "evil.example"}, 421, "wrong-host"),
        ({"Content_Type": "text/plain"}, 415, "wrong-media-type"),
    ],
)
def test_a_page_of_elsewhere_gets_nowhere(shared_site: Any, headers: dict[str, str], status: int, name: str) -> None:
    program = shared_site.inside(Role.ADMINISTRATOR)
    got, told, fields = ask(program, "POST", "operations/status", {}, X_CSRF_Token=program.token, **headers)
    assert (got, kind(told), fields["content-type"]) == (status, name, "application/problem+json")
    assert "access-control-allow-origin" not in fields


def test_what_changes_accounts_wants_a_fresh_password(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    program = site.inside(Role.ADMINISTRATOR)
    user = {"arguments": {"username": "shop", "token": True}}
    (session,) = site.parts.sessions.of("adi")
    session.confirmed -= 301
    status, told, _fields = ask(program, "POST", "operations/user_add", user, X_CSRF_Token=program.token)
    assert (status, kind(told)) == (403, "password-wanted")
    assert ask(program, "GET", "session")[1]["fresh"] is False
    token = log_in(program)[1]["token"]
    status, told, _fields = ask(program, "POST", "operations/user_add", user, X_CSRF_Token=token)
    assert (status, told["result"]["username"]) == (200, "shop")


def test_what_a_page_asks_by_itself_is_no_activity(shared_site: Any) -> None:
    program = shared_site.inside(Role.VIEWER)
    session = shared_site.parts.sessions.of("vera")[0]
    session.used -= 100
    before = session.used
    assert ask(program, "GET", "operations/status", X_Background="1")[0] == 200
    assert session.used == before
    assert ask(program, "GET", "operations/status")[0] == 200
    assert session.used > before


@pytest.mark.parametrize(
    ("own", "accepted", "language"), [("id", "en", "id"), ("en", "id", "en"), ("", "en", "en"), ("", "id", "id")]
)
def test_texts_are_in_the_language_of_the_administrator(site: Any, own: str, accepted: str, language: str) -> None:
    site.call("administrator_edit", username="vera", preferred_language=own)
    program = site.inside(Role.VIEWER)
    status, told, fields = ask(program, "GET", "operations/settings_show", Accept_Language=accepted)
    assert (status, fields["content-language"]) == (403, language)
    assert told["title"] == {"en": "Not permitted", "id": "Tidak diizinkan"}[language]


def test_what_is_done_is_audited_with_who_and_from_where(site: Any) -> None:
    program = site.inside(Role.OPERATOR)
    number = {"arguments": {"receiver": "081200000002"}}
    assert ask(program, "POST", "operations/block_add", number, X_CSRF_Token=program.token)[0] == 200
    assert ask(program, "GET", "operations/users")[0] == 403
    told = site.registry.call("audit", {"limit": 10}, COMMAND_LINE)
    found = [(one["operation"], one["origin"], one["actor"], one["address"], one["outcome"]) for one in told]
    assert ("block_add", "administration", "oki", "127.0.0.1", "done") in found
    assert ("users", "administration", "oki", "127.0.0.1", "refused") in found


# -- the document ------------------------------------------------------------------------------------------------------


def test_the_commands_of_the_document_work(site: Any, tmp_path: Path) -> None:
    (commands,) = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    script = commands.replace("http://192.168.0.11:8888", f"http://127.0.0.1:{site.port}")
    script = script.replace("curl -s", "curl -s --fail-with-body -w '\\n'").replace(
        '"revision": 0', '"revision": REVISION'
    )
    script = script.replace("REVISION", str(site.call("settings_revision")))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE,
        check=False, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines() if line]
    assert [next(iter(one)) for one in answers] == ["result", "result", "revision", "result", "result", "ended"]
    assert site.call("settings_show")["sms"]["attempts"] == 5
    assert json.loads((tmp_path / "session.json").read_text())["role"] == "administrator"


def test_the_document_names_every_problem() -> None:
    from otppi.admin.api.problems import KINDS

    text = DOCUMENT.read_text()
    assert [one.name for one in KINDS.values() if f"`{one.name}`" not in text] == []
    for one in KINDS.values():
        (row,) = [line for line in text.splitlines() if line.startswith("| ") and f"`{one.name}`" in line]
        assert str(one.status) in row.split("|")[1]


# -- what cannot be read (found by schemathesis: an empty Transfer-Encoding was answered with a page) ------------------


@pytest.mark.parametrize(
    ("head", "status", "name", "field"),
    [
        ("Host: 127.0.0.1\r\nTransfer-Encoding:", 400, "malformed", "Transfer-Encoding"),
        ("Host: 127.0.0.1\r\nTransfer-Encoding: gzip", 501, "malformed", "Transfer-Encoding"),
        ("Host: 127.0.0.1\r\nContent-Length: 262145", 413, "too-large", "body"),
        ("Host: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 1", 400, "malformed", "Content-Length"),
        ("Content-Length: 0", 400, "malformed", "Host"),
        ("Host: other.example\r\nContent-Length: 0", 421, "wrong-host", "Host"),
    ],
)
def test_a_program_is_told_in_json_what_cannot_be_read(
    shared_site: Any, head: str, status: int, name: str, field: str
) -> None:
    with socket.create_connection(("127.0.0.1", shared_site.port), PATIENCE) as connection:
        connection.sendall(f"POST {API}/session HTTP/1.1\r\nConnection: close\r\n{head}\r\n\r\n".encode())
        answer = HTTPResponse(connection)
        answer.begin()
        told = json.loads(answer.read())
    assert (answer.status, told["status"]) == (status, status)
    assert (kind(told), [one["field"] for one in told["errors"]]) == (name, [field])
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
