"""Postman: the collection of the examples is run by newman, and the OpenAPI document imported as Postman does it."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from otppi.simulator import ModemRack
from tests.system.conftest import PASSWORD, USER, Gateway, modem

ROOT = Path(__file__).parents[2]
COLLECTION = ROOT / "docs/examples/postman/otp-pi.postman_collection.json"
PROGRAMS = ROOT / "tests/postman/node_modules/.bin"


def program(name: str) -> Path:
    """Return a program of tests/postman, which `./build.sh test` installs."""
    path = PROGRAMS / name
    if not path.exists() and not os.environ.get("CI"):
        pytest.skip("newman is not installed; ./build.sh test does it")
    return path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, ModemRack]]:
    with ModemRack() as rack:
        gateway = Gateway(tmp_path_factory.mktemp("gateway"), [modem(rack.paths[0])])
        try:
            yield gateway.start().until_ready(), rack
        finally:
            gateway.close()


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, cwd=folder)


def test_the_collection_works_as_it_stands(running: tuple[Gateway, ModemRack], tmp_path: Path) -> None:
    gateway, rack = running
    variables = {"base_url": f"http://127.0.0.1:{gateway.port}", "username": USER, "password": PASSWORD}
    given = [part for name, value in variables.items() for part in ("--env-var", f"{name}={value}")]
    report = tmp_path / "report.json"
    reporters = ["--reporters", "cli,json", "--reporter-json-export", str(report)]
    done = run(program("newman"), "run", COLLECTION, *given, *reporters, "--color", "off", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    stats = json.loads(report.read_text())["run"]["stats"]
    requests = len(json.loads(COLLECTION.read_text())["item"])
    assert stats["requests"] == {"total": requests, "pending": 0, "failed": 0}
    assert stats["assertions"]["total"] > requests
    assert "OTP Anda adalah 1234" in [message.text for message in rack.network.messages]


def test_each_imported_request_has_a_right_body(running: tuple[Gateway, ModemRack], tmp_path: Path) -> None:
    """Issue 9, D17: the command was an empty text, and the receiver a heap of brackets."""
    gateway, _ = running
    with gateway.client() as client:
        _, document = client.request("GET", "/api/openapi.json")
    source, imported = tmp_path / "openapi.json", tmp_path / "collection.json"
    source.write_text(json.dumps(document))
    done = run(
        *(program("openapi2postmanv2"), "-s", source, "-o", imported),
        *("-O", "parametersResolution=Example,folderStrategy=Tags"),
        folder=tmp_path,
    )
    assert imported.exists(), done.stdout + done.stderr
    requests = [*_requests(json.loads(imported.read_text())["item"])]
    bodies = {"/".join(one["url"]["path"]): json.loads(one["body"]["raw"]) for one in requests if one.get("body")}
    taking = [path for path, item in document["paths"].items() if "requestBody" in item.get("post", {})]
    assert sorted(f"/{path}" for path in bodies) == sorted(taking)
    for path, body in bodies.items():
        content = document["paths"][f"/{path}"]["post"]["requestBody"]["content"]["application/json"]
        schema = {**content["schema"], "components": document["components"]}
        assert jsonschema_rs.validator_for(schema).is_valid(body), path


def _requests(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in items:
        if "item" in item:
            yield from _requests(item["item"])
        else:
            yield item["request"]
