"""The OpenAPI document against the running server (schemathesis), and its page."""

import base64
import hashlib
import html.parser
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, settings

from otppi_ingress_rest import openapi, page
from otppi_ingress_rest.settings import SECTION

EXAMPLES = settings(
    max_examples=10,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def description(**changes: Any) -> dict[str, Any]:
    values, problems = SECTION.validate({"metrics_enable": True, **changes})
    assert not problems
    return openapi.document(values, "0")


def in_python_terms(value: Any) -> Any:
    """Write patterns for Python, whose `$` also matches before a last line feed; JavaScript's does not."""
    if isinstance(value, dict):
        return {
            key: inner.removesuffix("$") + r"(?!\n)$" if key == "pattern" else in_python_terms(inner)
            for key, inner in value.items()
        }
    return [in_python_terms(inner) for inner in value] if isinstance(value, list) else value


def without_aliases(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out the aliases: one handler serves them all, and each has its own test."""
    kept = {path: item for path, item in document["paths"].items() if "x-alias-of" not in next(iter(item.values()))}
    return {**document, "paths": kept}


OPERATIONS = [
    f"{method.upper()} {path}" for path, item in without_aliases(description())["paths"].items() for method in item
]


class Operations:
    """The operations of the document as schemathesis knows them.

    It is imported here, and works out its cases when a test runs: both take longer than collecting all tests of this
    repository, which every worker of pytest does.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        import schemathesis
        from schemathesis.checks import load_all_checks
        from schemathesis.core.result import Ok
        from schemathesis.generation.feedback import FeedbackSources
        from schemathesis.python._constants.orchestrator import make_constants_value_source

        load_all_checks()
        self._schema = schemathesis.openapi.from_dict(in_python_terms(document))
        self._schema.config.generation.update(modes=list(schemathesis.GenerationMode))
        self._feedback = FeedbackSources(constants_value_source=make_constants_value_source(self._schema))
        found = (one.ok() for one in self._schema.get_all_operations() if isinstance(one, Ok))
        self._known = {one.label: one for one in found}

    def test(self, name: str, check: Callable[..., None], *, coverage: bool) -> Callable[..., None]:
        """Make a test of an operation, as `schema.parametrize` does; with `coverage` of all that its schema forbids."""
        from schemathesis.pytest._test_builder import build_operation_test

        self._schema.config.phases.coverage.enabled = coverage
        made: Callable[..., None] = build_operation_test(
            config=self._schema.config,
            operation=self._known[name],
            test_func=check,
            given_kwargs={},
            feedback=self._feedback,
        )
        return made


def has_whole_real(value: Any) -> bool:
    """Tell 589.0 in a body, which JSON Schema counts as an integer and the envelope does not."""
    if isinstance(value, dict):
        return any(map(has_whole_real, value.values()))
    if isinstance(value, list):
        return any(map(has_whole_real, value))
    return isinstance(value, float) and value.is_integer()


def has_odd_receiver(value: Any) -> bool:
    """Tell a receiver that is a JSON number: the host knows which of them are telephones, the stand-in does not."""
    if isinstance(value, dict):
        odd = isinstance(value.get("receiver"), int) and not isinstance(value["receiver"], bool)
        return odd or any(map(has_odd_receiver, value.values()))
    return isinstance(value, list) and any(map(has_odd_receiver, value))


@pytest.fixture(scope="module")
def server(make_served: Any, tmp_path_factory: Any) -> Iterator[Any]:
    with make_served(tmp_path_factory.mktemp("rest"), metrics_enable=True) as served:
        yield served


@pytest.fixture(scope="module")
def operations() -> Operations:
    return Operations(without_aliases(description()))


@EXAMPLES
def keeps_what_the_document_says(case: Any, server: Any, http: Any) -> None:
    assume(not has_whole_real(case.body) and not has_odd_receiver(case.body))
    credentials = http.BASIC.partition(": ")[2]
    case.call_and_validate(base_url=f"http://127.0.0.1:{server.port}", headers={"Authorization": credentials})


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_server_keeps_what_the_document_says(operations: Operations, server: Any, http: Any, name: str) -> None:
    # What is said of PUT is what is said of POST, and one handler serves both.
    coverage = name != "PUT /api/message"
    operations.test(name, keeps_what_the_document_says, coverage=coverage)(server=server, http=http)


def test_put_is_described_as_post_is() -> None:
    item = description()["paths"]["/api/message"]
    post, put = ({**item[method], "operationId": ""} for method in ("post", "put"))
    assert put == post


def test_the_document_is_served_as_it_is_made(served: Any, http: Any) -> None:
    status, fields, body = served.connect(http.get("/api/openapi.json")).response()
    document = json.loads(body)
    assert (status, fields["content-type"], document["openapi"]) == (200, "application/json", "3.1.0")
    assert set(document["paths"]) == set(description(metrics_enable=False)["paths"])
    assert set(document["components"]["securitySchemes"]) == {"basic", "bearer"}


def test_every_path_is_described_and_operation_ids_differ() -> None:
    document = description(message_path="/kirim")
    assert next(iter(document["paths"])) == "/kirim"
    assert {"/kirim", "/api/message", "/api/ussd", "/api/messages/{message_id}", "/metrics"} <= document["paths"].keys()
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))


def test_every_example_is_taken(served: Any, http: Any) -> None:
    content = description()["paths"]["/api/message"]["post"]["requestBody"]["content"]["application/json"]
    for name, example in content["examples"].items():
        status, answer = served.ask(http.post(example["value"]))
        assert (status, answer["command"]) == (200, name)


class Outline(html.parser.HTMLParser):
    """Checks that tags are closed in order, and collects what a reader meets."""

    VOID = frozenset(("meta", "link", "br", "img"))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else(served: Any, http: Any) -> None:
    status, fields, body = served.connect(http.get("/api/docs")).response()
    text = body.decode()
    assert (status, fields["content-type"]) == (200, "text/html; charset=utf-8")
    digest = base64.b64encode(hashlib.sha256(page.STYLE.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in fields["content-security-policy"]
    assert f"<style>{page.STYLE}</style>" in text
    outline = Outline()
    outline.feed(text)
    assert outline.open == []
    kinds = [tag for tag, _ in outline.tags]
    assert "script" not in kinds
    assert ("html", {"lang": "en"}) in outline.tags
    assert [kinds.count(tag) for tag in ("h1", "main", "title", "nav")] == [1, 1, 1, 1]
    links = [attributes["href"] for tag, attributes in outline.tags if tag == "a"]
    identifiers = {attributes.get("id") for _, attributes in outline.tags}
    assert [link for link in links if link and link.startswith("#") and link[1:] not in identifiers] == []
    for word in ("send-sms", "/api/message", "/api/ussd", "1207", "Retry-After"):
        assert word in text


def test_what_a_setting_says_is_escaped() -> None:
    document = description()
    document["info"]["summary"] = "<script>alert(1)</script>"
    assert "<script>" not in page.render(document)


def test_the_files_of_this_plugin_name_no_outside_address() -> None:
    for source in Path(page.__file__).parent.glob("*.py"):
        assert not re.search(r"http://\w", source.read_text("utf-8")), source.name
