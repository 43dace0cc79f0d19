"""A Prometheus for tests: Debian's, as a process, with the configuration of docs/examples."""

import json
import shutil
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from otppi.testing.brokers.process import ServerProcess
from otppi.testing.ports import free_port
from tests.architecture.documents import ROOT

EXAMPLES = ROOT / "docs/examples"


class Prometheus(ServerProcess):
    """Scrapes one gateway, with the token that it was given, and evaluates the alerts of the example.

    Args:
        folder: Its own.
        target: Host and port of the gateway's REST API.
        token: Of a user of the API.
        certificate: What `otppi certificate show --pem` prints; it scrapes by HTTPS where it is given.
    """

    def __init__(self, folder: Path, target: str, token: str, *, certificate: str = "") -> None:
        super().__init__(folder)
        self.port = free_port()
        (folder / "otppi.token").write_text(token)
        shutil.copy(EXAMPLES / "alerts.yml", folder)
        example = (EXAMPLES / "prometheus.yml").read_text()
        assert "192.168.0.11:8899 " in example
        if certificate:
            (folder / "ca.pem").write_text(certificate)
            for line in ("scheme: https", "tls_config:", "  ca_file: ca.pem"):
                assert f"# {line}\n" in example
                example = example.replace(f"# {line}\n", f"{line}\n")
        changed = example.replace("192.168.0.11:8899 ", f"{target} ").replace("15s", "1s")
        (folder / "prometheus.yml").write_text(changed)

    def _command(self) -> Sequence[str]:
        return (
            "prometheus",
            f"--config.file={self.folder}/prometheus.yml",
            f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}",
        )

    def _ready(self) -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=1) as response:
            return bool(response.status == 200)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Evaluate an expression now; raises where Prometheus refuses it."""
        return list(self._get("query", query=expression)["result"])

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules with their health."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def targets(self) -> list[dict[str, Any]]:
        """Return what it scrapes."""
        return list(self._get("targets")["activeTargets"])

    def _get(self, what: str, **arguments: str) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/api/v1/{what}?{urllib.parse.urlencode(arguments)}"
        with urllib.request.urlopen(url, timeout=10) as response:
            answer = json.load(response)
        assert answer["status"] == "success", answer
        data: dict[str, Any] = answer["data"]
        return data


def example_rules() -> list[dict[str, Any]]:
    """Read the rules of alerts.yml; of YAML this knows what stands there, and promtool whether that is any."""
    rules: list[dict[str, Any]] = []
    within: dict[str, Any] = {}
    folded = ""
    for line in (EXAMPLES / "alerts.yml").read_text().splitlines():
        indent, text = len(line) - len(line.lstrip()), line.strip()
        if text.startswith("- alert: "):
            rules.append({"alert": text.removeprefix("- alert: "), "annotations": {}})
            within = rules[-1]
        elif not rules or not text or text.startswith("#"):
            continue
        elif folded and indent > 8:
            within[folded] = f"{within[folded]} {text}".strip()
        else:
            folded = ""
            key, _, value = text.partition(": ")
            if text == "annotations:":
                within = rules[-1]["annotations"]
            elif value == ">-":
                folded, within[key] = key, ""
            elif value.startswith('"'):
                within[key] = json.loads(value)
            elif value.startswith("{"):
                name, _, told = value.strip("{}").partition(": ")
                within[key] = {name: told}
            else:
                within[key] = value
    return rules
