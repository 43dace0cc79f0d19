"""The OpenAPI document as Postman and generators read it: plain keywords, examples that are right, one body a path."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from otppi.wire.envelope import parse
from otppi_ingress_rest import openapi
from otppi_ingress_rest.settings import SECTION, command_paths


def described(**changes: Any) -> dict[str, Any]:
    values, problems = SECTION.validate({"metrics_enable": True, **changes})
    assert not problems
    return openapi.document(values, "0")


DOCUMENT = described()
ALIASES = {path: item["post"] for path, item in DOCUMENT["paths"].items() if "x-alias-of" in item.get("post", {})}


def schemas(value: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Return every schema of the document, and where it stands."""
    if isinstance(value, dict):
        if where.rpartition("/")[2] not in ("examples", "example", "value"):
            yield where, value
            for key, inner in value.items():
                yield from schemas(inner, f"{where}/{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from schemas(inner, f"{where}/{number}")


def body_of(operation: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = operation["requestBody"]["content"]["application/json"]
    return content


def fits(value: Any, schema: dict[str, Any]) -> bool:
    whole = {**schema, "components": DOCUMENT["components"]}
    return jsonschema_rs.validator_for(whole).is_valid(value)


def test_it_has_no_keyword_that_importers_do_not_know() -> None:
    """Issue 9, D17: `const` became an empty text in Postman, an array without items an error of generators."""
    for where, schema in schemas(DOCUMENT):
        assert "const" not in schema, where
        assert not isinstance(schema.get("type"), list), where
        assert schema.get("type") != "array" or "items" in schema, where
        assert "enum" not in schema or "type" in schema, where
        assert "(?" not in str(schema.get("pattern", "")), f"{where}: Go's and Rust's expressions look nowhere ahead"


def test_every_property_has_an_example_that_its_schema_takes() -> None:
    for where, schema in schemas(DOCUMENT):
        if where.endswith("/properties"):
            for name, own in schema.items():
                assert own["examples"], f"{where}/{name}"
                assert all(fits(one, own) for one in own["examples"]), f"{where}/{name}"


@pytest.mark.parametrize("path", ALIASES)
def test_a_path_has_the_body_that_it_is_meant_for(path: str) -> None:
    content = body_of(ALIASES[path])
    command = next(iter(content["examples"]))
    word = path.removeprefix("/api/").removesuffix("ing")
    assert word in {"sms", "email", "mail", "otp", "modem", "ussd", "block", "unblock"}
    assert command.startswith(word) or word in command or (word, command) == ("mail", "send-email")
    for name, example in content["examples"].items():
        assert parse(str(example["value"]).replace("'", '"').encode()).name == name
        assert fits(example["value"], content["schema"])


def test_each_example_fits_one_schema_of_the_main_path_alone() -> None:
    content = body_of(DOCUMENT["paths"]["/api/message"]["post"])
    for example in content["examples"].values():
        assert fits(example["value"], content["schema"]), "oneOf: exactly one"


def test_paths_that_are_set_are_meant_for_what_the_setting_says() -> None:
    document = described(message_path="/kirim", blocking_path="/blokir", unblocking_path="/buka")
    commands = {
        path: [*body_of(document["paths"][path]["post"])["examples"]] for path in ("/kirim", "/blokir", "/buka")
    }
    assert len(commands.pop("/kirim")) == 10
    assert commands == {"/blokir": ["block-msisdn"], "/buka": ["unblock-msisdn"]}
    values, _ = SECTION.validate({"message_path": "/api/block"})
    assert set(command_paths(values)) <= set(openapi.document(values, "0")["paths"])


def test_references_lead_somewhere_and_all_components_are_used() -> None:
    text = str(DOCUMENT)
    used = set(re.findall(r"'#/components/(\w+)/([\w-]+)'", text))
    there = {(kind, name) for kind, named in DOCUMENT["components"].items() for name in named}
    assert used <= there
    assert {kind_and_name for kind_and_name in there - used if kind_and_name[0] != "securitySchemes"} == set()
