"""What the API answers: to whom, in which form and language, and how it says what is wrong."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from otppi.admin.api.admin_api import AdminApi
from otppi.admin.api.problems import BASE, KINDS
from otppi.admin.api.strict_json import LARGEST
from otppi.api.errors import AuthenticationFailed, Busy, InvalidSettings, NotDone, Throttled
from otppi.api.operations import Call, Operation, Role
from otppi.api.settings import Kind, Setting, boolean, integer, number, text, text_list
from otppi.host.runtime.registry import NotRunning, Registry
from otppi.host.runtime.supervisor import NoThread
from otppi.text import _
from otppi.wire.errors import FieldError

JSON = "application/json"
SECRET = "RAHASIA-5512"


class Bench:
    """An API of a few operations, one of which raises what a test wants."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.result: Any = "done"
        self.calls: list[dict[str, Any]] = []
        self.waiting: list[str] = []
        self.waits_now = False
        name = text("name", "Name", "Whose.", required=True)
        several = (
            name,
            integer("times", "Times", "How often.", 1, minimum=1),
            number("pace", "Pace", "How fast.", 1.0),
            boolean("firmly", "Firmly", "Whether.", False),
            text_list("tags", "Tags", "Which."),
        )
        hidden = (text("pin", "PIN", "Secret.", secret=True),)
        whole = (Setting(key="document", title="Document", help="All.", default=None, kind=Kind.ANY),)
        viewer = {"role": Role.VIEWER, "reads_only": True}
        self.registry = Registry(
            [
                self._made("look", parameters=several, **viewer),
                self._made("peek", parameters=hidden, **viewer),
                self._made("compare", parameters=whole, **viewer),
                self._made("ring", role=Role.OPERATOR, waits=True),
                self._made("lock", parameters=(name, *hidden), changes="locks"),
                self._made("reset", asks_again=True),
            ],
            tell=lambda audited: None,
        )
        self.api = AdminApi(self.registry, self._while_waiting)

    def _made(self, name: str, **more: Any) -> Operation:
        def handler(call: Call, **arguments: Any) -> Any:
            if self.waits_now:
                self.waiting.append(name)
            if self.error is not None:
                raise self.error
            self.calls.append(arguments)
            return self.result

        return Operation(name=name, title=name.capitalize(), help=f"{name.capitalize()}.", handler=handler, **more)

    @contextmanager
    def _while_waiting(self) -> Iterator[None]:
        self.waits_now = True
        try:
            yield
        finally:
            self.waits_now = False


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def user(bench: Bench, asking: Any) -> Any:
    return asking(bench.api)


# -- who asks, and for what --------------------------------------------------------------------------------------------


def test_nobody_learns_nothing(bench: Bench, asking: Any) -> None:
    nobody = asking(bench.api, None)
    for path in ("operations", "operations/look", "operations/nothing", "openapi.json", "settings", "problems", ""):
        for method in ("GET", "POST", "DELETE"):
            answer = nobody.raw(method, path, "", JSON, b"{}")
            assert answer.status == 401
            assert json.loads(answer.body) == {
                "type": "/admin/api/problems/not-logged-in",
                "title": "Nobody is logged in",
                "status": 401,
            }
            assert dict(answer.headers)["WWW-Authenticate"].startswith("Cookie ")
    assert not bench.calls


def test_a_role_is_told_what_it_may_do(bench: Bench, asking: Any) -> None:
    names = {role: [one["name"] for one in asking(bench.api, role).get("operations")[1]["operations"]] for role in Role}
    assert names == {
        Role.VIEWER: ["look", "peek", "compare"],
        Role.OPERATOR: ["look", "peek", "compare", "ring"],
        Role.ADMINISTRATOR: ["look", "peek", "compare", "ring", "lock", "reset"],
    }


def test_a_declaration_is_told_whole(user: Any) -> None:
    lock = user.get("operations")[1]["operations"][-2]
    assert lock["arguments"]["properties"]["pin"] == {
        "type": "string",
        "title": "PIN",
        "description": "Secret.",
        "writeOnly": True,
    }
    assert lock["arguments"]["required"] == ["name"]
    del lock["arguments"]
    assert lock == {
        "name": "lock",
        "title": "Lock",
        "help": "Lock.",
        "role": "administrator",
        "reads_only": False,
        "changes": "locks",
        "waits": False,
        "asks_again": False,
        "confirm": "",
    }


def test_an_operation_is_carried_out_and_its_result_comes_back(bench: Bench, user: Any) -> None:
    bench.result = {"state": _("must be an object"), "list": [1, 2.5, None, "\U0001f600 ü"]}
    assert user.post("look", {"name": "a", "times": 3}) == (
        200,
        {"result": {"state": "must be an object", "list": [1, 2.5, None, "\U0001f600 ü"]}},
    )
    assert bench.calls == [{"name": "a", "times": 3, "pace": 1.0, "firmly": False, "tags": []}]


def test_arguments_of_what_only_reads_may_be_in_the_address(bench: Bench, user: Any) -> None:
    status, _answer = user.get("operations/look", "name=a%20b&times=-3&pace=2.5e1&firmly=true&tags=x,y")
    assert status == 422  # of the number of times only
    assert user.get("operations/look", "name=a%20b&times=3&pace=2.5e1&firmly=true&tags=x,y")[0] == 200
    assert bench.calls == [{"name": "a b", "times": 3, "pace": 25.0, "firmly": True, "tags": ["x", "y"]}]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("", 422, "name"),
        ("name=", 422, "name"),
        ("name=a&nam=b", 422, "nam"),
        ("name=a&times=1.0", 422, "times"),
        ("name=a&times=01", 422, "times"),
        ("name=a&times=%2B1", 422, "times"),
        ("name=a&times=" + "9" * 5000, 422, "times"),
        ("name=a&pace=nan", 422, "pace"),
        ("name=a&pace=Infinity", 422, "pace"),
        ("name=a&firmly=yes", 422, "firmly"),
        ("name=a&name=b", 400, "query"),
        ("name=%ff", 400, "query"),
        ("name", 400, "query"),
        ("&".join(f"a{number}=1" for number in range(101)), 400, "query"),
    ],
)
def test_an_address_that_is_wrong(bench: Bench, user: Any, query: str, status: int, field: str) -> None:
    got, answer = user.get("operations/look", query)
    assert (got, [one["field"] for one in answer["errors"]]) == (status, [field])
    assert not bench.calls


def test_secrets_and_documents_are_never_in_an_address(bench: Bench, user: Any) -> None:
    for name in ("peek", "compare", "ring", "lock"):
        answer = user.raw("GET", f"operations/{name}", "pin=1234")
        assert (answer.status, dict(answer.headers)["Allow"]) == (405, "POST"), name
    assert not bench.calls


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "operations", "GET, HEAD"),
        ("DELETE", "operations/look", "GET, HEAD, POST"),
        ("PUT", "operations/lock", "POST"),
        ("HEAD", "operations/lock", "POST"),
        ("OPTIONS", "openapi.json", "GET, HEAD"),
        ("POST", "problems/invalid", "GET, HEAD"),
    ],
)
def test_another_method_is_told_which_are_taken(user: Any, method: str, path: str, allow: str) -> None:
    answer = user.raw(method, path, "", JSON, b"{}")
    assert (answer.status, dict(answer.headers)["Allow"]) == (405, allow)


def test_head_is_answered_as_get(user: Any) -> None:
    assert user.raw("HEAD", "operations") == user.raw("GET", "operations")


@pytest.mark.parametrize("path", ["", "operation", "operations/nothing", "operations/look/", "openapi", "problems/x"])
def test_what_is_not_there(user: Any, path: str) -> None:
    assert user.get(path)[0] == user.raw("POST", path, "", JSON, b"{}").status == 404


def test_what_asks_for_the_password_again_wants_it_fresh(bench: Bench, asking: Any) -> None:
    for role, fresh, told in (
        (Role.ADMINISTRATOR, True, (200, None)),
        (Role.ADMINISTRATOR, False, (403, f"{BASE}password-wanted")),
        (Role.OPERATOR, False, (403, f"{BASE}not-permitted")),
    ):
        status, answer = asking(bench.api, role, fresh=fresh).post("reset")
        assert (status, answer.get("type")) == told
    assert asking(bench.api, fresh=False).post("ring")[0] == 200
    assert len(bench.calls) == 2


# -- bodies ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type", [JSON, "Application/JSON", f"{JSON}; charset=utf-8", f'{JSON};charset="UTF-8"']
)
def test_json_is_taken(user: Any, content_type: str) -> None:
    assert user.raw("POST", "operations/ring", "", content_type, b"{}").status == 200


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json", f"{JSON}p",
     f"{JSON}; charset=latin-1", f"text/plain; {JSON}", "application/merge-patch+json"],
)  # fmt: skip
def test_what_a_form_of_another_site_can_send_is_not_taken(bench: Bench, user: Any, content_type: str) -> None:
    answer = user.raw("POST", "operations/ring", "", content_type, b"{}")
    assert (answer.status, dict(answer.headers)["Accept-Post"]) == (415, JSON)
    assert not bench.calls


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, "body"),
        (b"[]", 400, "body"),
        (b'{"arguments": {"name": "a"}', 400, "body"),
        (b'{"arguments": {"name": "a", "name": "b"}}', 400, "body"),
        (b'{"arguments": {"name": "a", "pace": NaN}}', 400, "body"),
        (b'{"arguments": {"name": "\xff"}}', 400, "body"),
        (b'{"arguments": {"name": "a"}, "argument": {}}', 422, "argument"),
        (b'{"arguments": []}', 422, "arguments"),
        (b'{"arguments": null}', 422, "arguments"),
        (b'{"arguments": {"name": "a"}, "revision": 1}', 422, "revision"),
        (b"{}", 422, "name"),
    ],
)
def test_a_body_that_is_wrong(bench: Bench, user: Any, body: bytes, status: int, field: str) -> None:
    answer = user.raw("POST", "operations/look", "", JSON, body)
    told = json.loads(answer.body)
    assert (answer.status, [one["field"] for one in told["errors"]]) == (status, [field])
    assert dict(answer.headers)["Content-Type"] == "application/problem+json"
    assert not bench.calls


def test_a_body_that_is_too_large(user: Any) -> None:
    body = json.dumps({"arguments": {"name": "a" * 9_000}}).encode()
    assert user.raw("POST", "operations/look", "", JSON, body.ljust(LARGEST)).status == 200
    assert user.raw("POST", "operations/look", "", JSON, body.ljust(LARGEST + 1)).status == 413


def test_arguments_in_the_address_of_a_body_are_refused(bench: Bench, user: Any) -> None:
    answer = user.raw("POST", "operations/look", "name=a", JSON, b"{}")
    assert (answer.status, json.loads(answer.body)["errors"][0]["field"]) == (422, "query")
    assert not bench.calls


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "kind", "retry"),
    [
        (InvalidSettings([FieldError("name", _("is required"))]), 422, "invalid", None),
        (AuthenticationFailed("wrong password"), 403, "not-permitted", None),
        (NotDone("the SIM refused"), 409, "not-done", None),
        (Throttled(39.2), 429, "throttled", "40"),
        (Busy(_("another change of the gateway goes on, and nothing was done"), 0.05), 503, "busy", "1"),
        (NoThread("no thread"), 503, "busy", "5"),
        (NotRunning("it is not running"), 503, "not-running", "5"),
        (OSError(28, "No space left on device", "/data/settings.json"), 507, "not-kept", None),
    ],
)
def test_an_error_that_was_meant(
    bench: Bench, user: Any, error: Exception, status: int, kind: str, retry: str | None
) -> None:
    bench.error = error
    answer = user.raw("POST", "operations/ring", "", JSON, b"{}")
    told = json.loads(answer.body)
    assert (answer.status, told["status"], told["type"]) == (status, status, f"{BASE}{kind}")
    assert dict(answer.headers).get("Retry-After") == retry
    assert "/data" not in answer.body.decode()
    assert told["title"] == KINDS[kind].title
    assert told.get("detail") or told["errors"] == [{"field": "name", "reason": "is required"}]


@pytest.mark.parametrize(
    "error",
    [ValueError(SECRET), LookupError(SECRET), TypeError(SECRET), RecursionError(SECRET), OSError(2, "x", SECRET),
     MemoryError(SECRET)],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_a_fault_is_a_number_and_its_words_are_nowhere(
    bench: Bench, user: Any, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    bench.error = error
    with caplog.at_level(logging.DEBUG):
        status, told = user.post("ring")
    reference = told.pop("reference")
    assert (status, told) == (
        500,
        {"type": f"{BASE}internal", "title": "Something is broken here", "status": 500},
    )
    assert reference in caplog.text
    assert type(error).__name__ in caplog.text
    assert SECRET not in caplog.text + str(told)


def test_two_faults_have_two_numbers(bench: Bench, user: Any) -> None:
    bench.error = ValueError()
    assert user.post("ring")[1]["reference"] != user.post("ring")[1]["reference"]


@pytest.mark.parametrize("result", [{1, 2}, float("nan"), object()], ids=["set", "nan", "object"])
def test_a_result_that_json_cannot_say_is_a_fault(bench: Bench, user: Any, result: Any) -> None:
    bench.result = result
    assert user.post("ring")[0] == 500


def test_half_a_surrogate_pair_of_a_modem_does_no_harm(bench: Bench, user: Any) -> None:
    bench.result = "a\ud800b"
    assert user.post("ring") == (200, {"result": "a?b"})


def test_what_ends_a_thread_is_not_held_up(bench: Bench, user: Any) -> None:
    bench.error = SystemExit()
    with pytest.raises(SystemExit):
        user.post("ring")


@pytest.mark.parametrize("name", KINDS)
def test_the_type_of_a_problem_can_be_looked_up(user: Any, name: str) -> None:
    status, told = user.get(f"problems/{name}")
    assert (status, told["type"], set(told)) == (200, f"{BASE}{name}", {"type", "title", "status", "help"})
    assert told in user.get("problems")[1]["problems"]


# -- languages ---------------------------------------------------------------------------------------------------------


def test_texts_are_in_the_callers_language_and_names_are_not(bench: Bench, asking: Any) -> None:
    for language, title, reason in (
        ("en", "Nothing was done: some of it is not valid", "is required"),
        ("id", "Tidak ada yang dilakukan: sebagian isinya tidak sah", "wajib diisi"),
    ):
        answer = asking(bench.api, language=language).raw("POST", "operations/look", "", JSON, b"{}")
        assert dict(answer.headers)["Content-Language"] == language
        assert json.loads(answer.body) == {
            "type": "/admin/api/problems/invalid",
            "title": title,
            "status": 422,
            "errors": [{"field": "name", "reason": reason}],
        }


@pytest.mark.parametrize("language", ["", "xx", "../en", "de-DE"])
def test_another_language_is_english(bench: Bench, asking: Any, language: str) -> None:
    answer = asking(bench.api, None, language).raw("GET", "operations")
    assert dict(answer.headers)["Content-Language"] == "en"
    assert json.loads(answer.body)["title"] == "Nobody is logged in"


# -- waiting -----------------------------------------------------------------------------------------------------------


def test_what_waits_is_wrapped_and_nothing_else(bench: Bench, user: Any) -> None:
    for name in ("look", "ring", "lock", "peek"):
        assert user.post(name, {"name": "a"} if name in ("look", "lock") else {})[0] == 200
    assert bench.waiting == ["ring", "lock"]
    assert not bench.waits_now


def test_threads_may_ask_at_the_same_time(bench: Bench, user: Any) -> None:
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(user.post("look", {"name": "a"})[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 8
