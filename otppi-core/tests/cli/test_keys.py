"""`otppi keys`, with and without a gateway that runs."""

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.testing.scripted import until

Cli = Callable[..., Any]
FILE = "encryption-keys.json"


def private(data: Path) -> list[str]:
    return [entry["d"] for entry in json.loads((data / FILE).read_bytes())["keys"]]


def test_the_key_is_made_and_shown_where_no_gateway_runs(otppi: Cli, data: Path) -> None:
    shown = otppi("keys", "--json").json
    (key,) = shown["keys"]
    assert [(one["kid"], one["state"], one["until"]) for one in shown["thumbprints"]] == [(key["kid"], "current", None)]
    text = otppi("keys").out
    assert text.startswith("THUMBPRINT ")
    table, _, document = text.partition("\n\n")
    assert key["kid"] in table
    assert json.loads(document) == {"keys": [key]}
    assert not any(one in text + json.dumps(shown) for one in private(data))


def test_pem_is_the_same_key(otppi: Cli, data: Path) -> None:
    pem = otppi("keys", "--pem").out
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=pem.encode(), capture_output=True)
    (key,) = otppi("keys", "--json").json["keys"]
    assert der.returncode == 0
    point = b"".join(base64.urlsafe_b64decode(key[name] + "=") for name in ("x", "y"))
    assert der.stdout.endswith(b"\x04" + point)
    assert otppi("keys", "--pem", "--json").json == {"kid": key["kid"], "pem": pem}


def test_rotate(otppi: Cli, data: Path) -> None:
    first = otppi("keys", "--json").json["keys"][0]["kid"]
    shown = otppi("keys", "rotate", "--json").json
    second = shown["keys"][0]["kid"]
    assert [(one["kid"], one["state"]) for one in shown["thumbprints"]] == [(second, "current"), (first, "kept")]
    assert [line.split()[1] for line in otppi("keys").out.splitlines()[:3]] == ["STATE", "current", "kept"]
    assert otppi("settings", "set", "encryption.keep_days", "0").code == 0
    shown = otppi("keys", "rotate", "--json").json
    assert [one["state"] for one in shown["thumbprints"]] == ["current"]
    assert len(private(data)) == 1
    for line in (["--pem", "rotate"], ["rotate", "--pem"]):
        assert otppi("keys", *line).out.startswith("-----BEGIN PUBLIC KEY-----\n")


def test_show_is_meant_where_neither_is_named(otppi: Cli, data: Path) -> None:
    assert otppi("keys").out == otppi("keys", "show").out
    assert otppi("keys", "--pem").out == otppi("keys", "--pem", "show").out == otppi("keys", "show", "--pem").out
    help_text = otppi("keys", "--help").out
    assert all(one in help_text for one in ("--pem", " show ", " rotate ", "without a command: as otppi keys show"))
    assert "--discard-damaged" not in help_text
    assert "--discard-damaged" in otppi("keys", "rotate", "--help").out


def test_a_damaged_file_is_told_and_discarded_on_demand(otppi: Cli, data: Path) -> None:
    (data / FILE).write_text("{")
    for line in (["keys"], ["keys", "rotate"], ["keys", "--pem"]):
        result = otppi(*line)
        assert (result.code, result.out) == (1, "")
        assert "the keys in encryption-keys.json cannot be used: it is damaged" in result.err
        assert "otppi keys rotate --discard-damaged" in result.err
    assert (data / FILE).read_text() == "{"
    assert otppi("keys", "rotate", "--discard-damaged").code == 0
    assert len(private(data)) == 1
    assert len(list(data.glob("encryption-keys.damaged-*"))) == 1


def test_wrong_usage(otppi: Cli, data: Path) -> None:
    assert otppi("keys", "drop").code == 2
    for line in (["--discard-damaged"], ["show", "--discard-damaged"], ["--discard-damaged", "rotate"]):
        result = otppi("keys", *line)
        wrong = "otppi: unrecognized arguments: --discard-damaged (see otppi --help)\n"
        assert (result.code, result.out, result.err) == (2, "", wrong)
    assert not (data / FILE).exists()


def test_no_data_folder_is_made_for_it(otppi: Cli, tmp_path: Path) -> None:
    assert otppi("keys", "--data", tmp_path / "typo").code == 2
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize("secrets", [(), ("--secrets",)])
def test_no_export_of_settings_holds_a_key(otppi: Cli, data: Path, secrets: tuple[str, ...]) -> None:
    otppi("keys", "rotate")
    out = otppi("settings", "export", *secrets).out + otppi("settings", "show").out
    assert not any(one in out for one in private(data))


def test_ways_in_that_require_encryption_are_known_ones(otppi: Cli, data: Path) -> None:
    result = otppi("settings", "set", "encryption.required_on", "ingress-rest,ingress-rset")
    assert result.code == 2
    assert result.err.startswith("otppi: encryption.required_on: ingress-rset is not an ingress; there are ")
    assert otppi("settings", "set", "encryption.required_on", "ingress-rest").out == "changed: encryption\n"


def test_with_a_gateway_that_runs(otppi: Cli, start: Callable[..., Any], data: Path) -> None:
    gateway = start(document={"ingress-rest": {"http_port": 0, "https_enable": False}})
    gateway.wait_for("gateway runs")
    first = otppi("keys", "--json").json
    second = otppi("keys", "rotate", "--json").json
    assert [one["kid"] for one in second["thumbprints"]] == [second["keys"][0]["kid"], first["keys"][0]["kid"]]
    gateway.wait_for(f"replaced by command-line/administrator: the new one is {second['keys'][0]['kid']}")
    assert otppi("settings", "set", "encryption.keep_days", "0").code == 0
    until(lambda: len(private(data)) == 1, "the old key is dropped at once")
    assert gateway.end() == 0
    assert otppi("keys", "--json").json["keys"] == second["keys"]


def test_a_gateway_with_damaged_keys_runs_and_warns(otppi: Cli, start: Callable[..., Any], data: Path) -> None:
    (data / FILE).write_text("{")
    gateway = start(document={"ingress-rest": {"http_port": 0, "https_enable": False}})
    gateway.wait_for("ERROR.*encryption-keys.json cannot be used: it is damaged: encrypted envelopes are refused")
    gateway.wait_for("gateway runs")
    assert any("encrypted envelopes are refused" in one for one in otppi("status", "--json").json["warnings"])
    assert otppi("keys").code == 1
    assert otppi("keys", "rotate", "--discard-damaged").code == 0
    assert not any("encrypted" in one for one in otppi("status", "--json").json["warnings"])
