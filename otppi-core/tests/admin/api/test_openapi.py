"""The OpenAPI document: it is one, it tells all that there is, and a running server keeps what it says."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, settings

from otppi.admin.api.openapi import document, session_path
from otppi.admin.api.problems import KINDS
from otppi.admin.api.queries import by_address
from otppi.api.operations import Role
from otppi.host.core import load_plugins
from otppi.text.languages import translated

EXAMPLES = settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
DECLARED = tuple(load_plugins().operations.values())


def described(language: str = "en") -> dict[str, Any]:
    """Return the document as it goes out."""
    told: dict[str, Any] = json.loads(json.dumps(translated(document(DECLARED, session_path()), language)))
    return told


CASES = [
    f"{method.upper()} {path}"
    for path, item in described()["paths"].items()
    for method in item
    if method != "parameters"
]


# -- what it says ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "id"])
def test_it_is_an_openapi_document(language: str) -> None:
    import schemathesis

    schemathesis.openapi.from_dict(described(language)).validate()


def test_the_check_of_the_document_can_fail() -> None:
    import schemathesis

    broken = described()
    del broken["paths"]["/admin/api/operations"]["get"]["responses"]["200"]["description"]
    with pytest.raises(Exception, match="description"):
        schemathesis.openapi.from_dict(broken).validate()


def test_every_operation_has_a_path_of_its_own() -> None:
    told = described()
    for one in DECLARED:
        item = told["paths"][f"/admin/api/operations/{one.name}"]
        assert set(item) == ({"get", "post"} if by_address(one) else {"post"}), one.name
        assert item["post"]["summary"] == one.title
        assert item["post"]["x-role"] == one.role.value
        arguments = item["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]["arguments"]
        assert set(arguments["properties"]) == {parameter.key for parameter in one.parameters}
    names = [
        operation["operationId"]
        for item in told["paths"].values()
        for key, operation in item.items()
        if key != "parameters"
    ]
    assert len(names) == len(set(names))


def test_a_revision_is_taken_by_what_changes_settings_only() -> None:
    told = described()["paths"]
    for one in DECLARED:
        body = told[f"/admin/api/operations/{one.name}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert ("revision" in body["properties"]) is (one.changes == "settings"), one.name


def test_secrets_are_write_only_and_never_in_an_address() -> None:
    told = described()["paths"]
    secrets = [(one, parameter.key) for one in DECLARED for parameter in one.parameters if parameter.secret]
    assert len(secrets) > 5
    for operation, key in secrets:
        item = told[f"/admin/api/operations/{operation.name}"]
        body = item["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert body["properties"]["arguments"]["properties"][key]["writeOnly"] is True
        assert "get" not in item


def test_every_problem_has_its_answer() -> None:
    answers = described()["components"]["responses"]
    for one in KINDS.values():
        assert one.title in answers[str(one.status)]["description"]


def test_every_reference_leads_somewhere() -> None:
    told = described()
    found = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(told)))
    assert len(found) > 10
    for one in found:
        place: Any = told
        for key in one.split("/"):
            place = place[key]
    assert set(told["components"]["responses"]) <= {one.rpartition("/")[2] for one in found}


def test_what_posts_needs_the_token_and_everything_a_session() -> None:
    for item in described()["paths"].values():
        for method, operation in item.items():
            if method == "post" and operation["operationId"] == "logIn":
                assert operation["security"] == []
            elif method in ("post", "delete"):
                assert operation["security"] == [{"session": [], "token": []}, {"secureSession": [], "token": []}]
            elif method == "get":
                assert operation["security"] == [{"session": []}, {"secureSession": []}]


def sentences(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Return the texts for people of a document, each with where it is."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("title", "description", "summary") and isinstance(inner, str):
                yield f"{key}.{name}", inner
            else:
                yield from sentences(inner, f"{key}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from sentences(inner, f"{key}[{index}]")


def test_it_is_told_in_both_languages() -> None:
    english, indonesian = (dict(sentences(described(language))) for language in ("en", "id"))
    assert english.keys() == indonesian.keys()
    same = {text for key, text in english.items() if indonesian[key] == text}
    assert {one.lower() for one in same} <= SAME, same


SAME = {
    "administrator", "browser", "gateway", "host", "log", "modem", "password", "path", "pin", "plugin", "port",
    "prefix", "program", "puk", "status", "token", "username",
}  # fmt: skip
"""What is called the same in both (docs/translating.md)."""


# -- that it is so -----------------------------------------------------------------------------------------------------


class ApiOperations:
    """The operations of the document as schemathesis knows them, which takes long to import."""

    def __init__(self) -> None:
        import schemathesis
        from schemathesis.checks import load_all_checks
        from schemathesis.core.result import Ok
        from schemathesis.generation.feedback import FeedbackSources
        from schemathesis.python._constants.orchestrator import make_constants_value_source

        load_all_checks()
        self._schema = schemathesis.openapi.from_dict(described())
        self._schema.config.generation.update(modes=list(schemathesis.GenerationMode))
        self._feedback = FeedbackSources(constants_value_source=make_constants_value_source(self._schema))
        found = (one.ok() for one in self._schema.get_all_operations() if isinstance(one, Ok))
        self._known = {one.label: one for one in found}

    def test(self, name: str, check: Callable[..., None]) -> Callable[..., None]:
        """Make a test of an operation, as `schema.parametrize` does, with all that its schema forbids."""
        from schemathesis.pytest._test_builder import build_operation_test

        self._schema.config.phases.coverage.enabled = True
        made: Callable[..., None] = build_operation_test(
            config=self._schema.config,
            operation=self._known[name],
            test_func=check,
            given_kwargs={},
            feedback=self._feedback,
        )
        return made


@pytest.fixture(scope="module")
def api_operations() -> ApiOperations:
    return ApiOperations()


@EXAMPLES
def keeps_what_the_document_says(case: Any, site: Any) -> None:
    from schemathesis.checks import CHECKS

    assume(not is_whole_real(case.body))
    if case.path.endswith("/reset_groups"):
        change_nothing(case.body)
    # JSON Schema cannot say which modems, sections and users there are: what it allows may be refused (422).
    left_out = CHECKS.get_by_names(["positive_data_acceptance"])
    program = site.inside(Role.ADMINISTRATOR)  # each time: a case may log it out
    case.call_and_validate(
        base_url=f"http://127.0.0.1:{site.port}",
        headers={"X-CSRF-Token": program.token},
        cookies=program.cookies,
        excluded_checks=left_out,
    )


def change_nothing(body: Any) -> None:
    """Have a reset tell only what it would remove: one that is carried out has all that comes after it refused."""
    arguments = body.get("arguments", {}) if isinstance(body, dict) else None
    if isinstance(arguments, dict) and isinstance(arguments.get("dry_run", False), bool):
        body["arguments"] = arguments | {"dry_run": True}


def is_whole_real(value: Any) -> bool:
    """Tell 589.0 in a body, which JSON Schema counts as an integer and Python does not."""
    if isinstance(value, dict):
        return any(map(is_whole_real, value.values()))
    if isinstance(value, list):
        return any(map(is_whole_real, value))
    return isinstance(value, float) and value.is_integer()


@pytest.mark.parametrize("name", CASES)
def test_the_server_keeps_what_the_document_says(api_operations: ApiOperations, shared_site: Any, name: str) -> None:
    api_operations.test(name, keeps_what_the_document_says)(site=shared_site)


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_document_is_served_as_it_is_made(shared_site: Any, language: str) -> None:
    shared_site.call("administrator_edit", username="vera", preferred_language=language)
    answer = shared_site.inside(Role.VIEWER).get("/admin/api/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert json.loads(answer.text) == described(language)
