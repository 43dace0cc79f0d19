"""The metrics of a real gateway, and the examples for Prometheus and Grafana, which use only what it tells."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from otppi.api.metrics import METRICS
from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.waiting import until
from tests.system.conftest import USER, Client, Gateway, modem
from tests.system.exposition import Family, families, uses
from tests.system.prometheus import EXAMPLES, Prometheus, example_rules

DECLARED = {one.name: set(one.labels) for one in METRICS} | {"up": set()}
FOREIGN = {"instance", "job"}
"""What Prometheus adds to each number."""
OF_HARDWARE = {
    "otppi_clock_offset_seconds", "otppi_clock_synchronized", "otppi_clock_trusted",
    "otppi_device_memory_pressure_ratio", "otppi_device_storage_errors", "otppi_device_storage_life_used_ratio",
    "otppi_device_temperature_celsius", "otppi_device_throttled", "otppi_device_throttled_since_start",
    "otppi_device_undervoltage", "otppi_device_usb_over_currents_total",
}  # fmt: skip
"""What not every computer tells."""
DASHBOARD: dict[str, Any] = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())
RULES = example_rules()
RECEIVERS = ("081266660001", "081266660002", "081266660003")
MARK = "Kode rahasia 918273"


def panels() -> list[dict[str, Any]]:
    return [panel for one in DASHBOARD["panels"] for panel in (one, *one.get("panels", ()))]


def targets() -> list[tuple[str, dict[str, Any]]]:
    return [(panel["title"], target) for panel in panels() for target in panel.get("targets", ())]


def plain(expression: str) -> str:
    """Return an expression as Grafana asks it, all gateways chosen."""
    return expression.replace("$gateway", ".*").replace("$__rate_interval", "30s")


EXPRESSIONS = [(title, plain(target["expr"])) for title, target in targets()]
EXPRESSIONS += [(rule["alert"], rule["expr"]) for rule in RULES]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Return a gateway that has sent by two modems, taken from a broker, blocked, refused, and made a code."""
    folder = tmp_path_factory.mktemp("observed")
    limits: dict[str, Any] = {"daily_quota": 100, "monthly_quota": 1000, "balance_ussd": "*123#", "balance_low": 20_000}
    with (
        ModemRack(count=2, profile=ModemProfile(report_delay=0.05)) as rack,
        Mosquitto(folder / "mosquitto") as broker,
    ):
        one = Gateway(
            folder,
            [modem(rack.paths[0], **limits), modem(rack.paths[1], "meja kasir (2)", default_modem=False)],
            rest={"metrics_enable": True, "https_enable": True, "https_port": 0},
            **{"ingress-mqtt": {"enable": True, "host": "127.0.0.1", "port": broker.port, "topic": "otp"}},
        )
        try:
            one.start().until_ready()
            _use(one)
            yield one
        finally:
            one.close()


def _use(gateway: Gateway) -> None:
    with gateway.client() as client:
        for number, receiver in enumerate(RECEIVERS):
            assert client.send(number, receiver, MARK)[1]["data"]["state"] in ("sent", "delivered")
        client.command("block-msisdn", {"receiver": "081266660009"})
        assert client.send(9, "081266660009", MARK)[1]["response_code"] == "1204"
        client.command("request-otp", {"reference": "r1", "receiver": RECEIVERS[0], "message": "Kode %s"})
    with Client(gateway.port, "Basic YTpi") as stranger:
        assert stranger.send(1, RECEIVERS[0], MARK)[0] == 401
    assert gateway.cli("balance", "--now").returncode == 0
    until(lambda: _samples(gateway, "otppi_ingress_connected") == [1.0], what="the broker is connected")


@pytest.fixture(scope="module")
def token(gateway: Gateway) -> str:
    """Return the token of the user that the example makes."""
    added = gateway.cli("user", "add", "prometheus", "--token", "--metrics-only", "--json")
    assert added.returncode == 0, added.stderr
    return str(json.loads(added.stdout)["token"])


def exposition(gateway: Gateway, authorization: str = "") -> str:
    with Client(gateway.port, authorization) if authorization else gateway.client() as client:
        client._connection.request("GET", "/metrics", headers=client._headers)
        response = client._connection.getresponse()
        body = response.read().decode()
        assert response.status == 200, body
        return body


def _samples(gateway: Gateway, name: str) -> list[float]:
    known = families(exposition(gateway)).get(name, Family())
    return list(known.samples.values())


# -- what the gateway tells --------------------------------------------------------------------------------------------


def test_the_exposition_is_well_formed_and_all_of_it_is_declared(gateway: Gateway) -> None:
    known = families(exposition(gateway))
    assert known.keys() <= DECLARED.keys()
    assert DECLARED.keys() - known.keys() - {"up"} <= OF_HARDWARE | {
        "otppi_egress_quota_left_receivers", "otppi_modem_roaming", "otppi_modem_registered",
    }  # fmt: skip
    for name, family in known.items():
        assert family.help, name
        assert family.labels() - {"le"} == DECLARED[name], name


def test_no_label_holds_what_there_is_any_number_of(gateway: Gateway) -> None:
    text = exposition(gateway)
    for told in (*RECEIVERS, RECEIVERS[0][1:], "81266660009", MARK, USER, "127.0.0.1", "490154", "r1"):
        assert told not in text
    known = families(text)
    assert sum(len(family.samples) for family in known.values()) < 350


def test_who_reads_metrics_may_not_send(gateway: Gateway, token: str) -> None:
    bearer = f"Bearer {token}"
    assert "otppi_messages_total" in exposition(gateway, bearer)
    with Client(gateway.port, bearer) as client:
        for query in ("", "?wait=0"):
            status, answer = client.send(77, RECEIVERS[0], MARK, query)
            assert (status, answer["response_code"]) == (403, "1100")
        assert client.command("get-modem-list", {})[0] == 403
        assert client.request("GET", "/api/health")[0] == 200
        assert client.request("POST", "/api/keys/rotate", b"")[0] == 403


# -- the examples ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS, ids=[f"{title}" for title, _ in EXPRESSIONS])
def test_expressions_use_what_the_gateway_tells(gateway: Gateway, title: str, expression: str) -> None:
    known = families(exposition(gateway))
    used = uses(expression)
    assert used.metrics, title
    labels: set[str] = set(FOREIGN)
    for name, chosen_by in used.metrics.items():
        family = re.sub("_(bucket|sum|count)$", "", name) if name not in DECLARED else name
        assert chosen_by <= DECLARED[family] | FOREIGN, f"{title}: {name}"
        labels |= DECLARED[family] | {"le"}
        if name not in OF_HARDWARE | {"up", "otppi_modem_registered"}:
            assert any(name == sample for sample, _ in known[family].samples), f"{title}: {name}"
    assert used.grouping <= labels, title


def test_legends_and_annotations_name_labels_that_are_there() -> None:
    for title, target in targets():
        _check_labels(title, target["expr"], re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
    for rule in RULES:
        told = " ".join(rule["annotations"].values())
        _check_labels(rule["alert"], rule["expr"], re.findall(r"\$labels\.(\w+)", told))


def _check_labels(title: str, expression: str, wanted: Iterable[str]) -> None:
    grouped = re.search(r"\bby \(([^)]*)\)", expression)
    used = uses(expression).metrics
    known = (
        {label.strip() for label in grouped[1].split(",")}
        if grouped
        else set.intersection(*(DECLARED[name] | FOREIGN for name in used))
    )
    assert set(wanted) <= known, title


def test_the_dashboard_can_be_imported() -> None:
    every = panels()
    ids = [panel["id"] for panel in every]
    assert len(set(ids)) == len(ids)
    assert {"title", "uid", "panels", "schemaVersion", "templating", "time", "version"} <= DASHBOARD.keys()
    assert "__inputs" not in DASHBOARD
    assert "id" not in DASHBOARD
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert variables["gateway"]["datasource"] == source
    assert uses(variables["gateway"]["definition"]).metrics.keys() == {"otppi_build_info"}
    for panel in every:
        if panel["type"] == "row":
            continue
        assert panel["datasource"] == source
        assert [target["datasource"] for target in panel["targets"]] == [source] * len(panel["targets"])
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        assert 'instance=~"$gateway"' in panel["targets"][0]["expr"]
    _check_grid(every)


def _check_grid(every: Iterable[Mapping[str, Any]]) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in every:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


def test_alerts_say_what_it_is_and_what_to_do() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    for rule in RULES:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"].keys() == {"summary", "description"}


# -- by Prometheus' own tools ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed; ./build.sh test does it")
    return found


def _checked(promtool: str, *arguments: str, stdin: str = "", folder: Path | None = None) -> str:
    done = subprocess.run(
        [promtool, *arguments], input=stdin, capture_output=True, text=True, timeout=60, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_promtool_has_nothing_against_metrics_rules_and_configuration(
    gateway: Gateway, promtool: str, tmp_path: Path
) -> None:
    assert _checked(promtool, "check", "metrics", stdin=exposition(gateway)) == ""
    for name in ("prometheus.yml", "alerts.yml"):
        shutil.copy(EXAMPLES / name, tmp_path)
    (tmp_path / "otppi.token").write_text("token")
    told = _checked(promtool, "check", "config", "prometheus.yml", folder=tmp_path)
    assert f"{len(RULES)} rules found" in told


def test_a_real_prometheus_reads_a_real_gateway(gateway: Gateway, promtool: str, token: str, tmp_path: Path) -> None:
    with Prometheus(tmp_path / "prometheus", f"127.0.0.1:{gateway.port}", token) as prometheus:
        until(lambda: prometheus.query('count_over_time(up{job="otppi"}[1m]) > 2'), what="it has scraped three times")
        assert [(one["health"], one["lastError"]) for one in prometheus.targets()] == [("up", "")]
        empty = {title for title, expression in EXPRESSIONS if not prometheus.query(expression)}
        quiet = {rule["alert"] for rule in RULES} | {"Threads that do not run", "Alarms that are raised", "Temperature"}
        assert empty <= quiet, empty - quiet
        until(lambda: all(rule["health"] == "ok" for rule in prometheus.rules()), what="all rules were evaluated")
        assert [rule["name"] for rule in prometheus.rules()] == [rule["alert"] for rule in RULES]
        firing = {rule["name"] for rule in prometheus.rules() if rule["state"] != "inactive"}
        assert firing <= {"BalanceLow", "DeviceHot", "StorageNearlyFull", "MemoryShort"}


@pytest.mark.usefixtures("promtool")
def test_a_real_prometheus_reads_by_https_as_the_example_says(gateway: Gateway, token: str, tmp_path: Path) -> None:
    certificate = gateway.cli("certificate", "show", "--pem").stdout
    ingresses = json.loads(gateway.cli("status", "--json").stdout)["ingresses"]
    (port,) = [one["https_port"] for one in ingresses if one.get("https_port")]
    target = f"127.0.0.1:{port}"
    with Prometheus(tmp_path / "prometheus", target, token, certificate=certificate) as prometheus:
        until(lambda: [one["health"] for one in prometheus.targets()] == ["up"], what="it has scraped by HTTPS")
        assert [one["scrapeUrl"] for one in prometheus.targets()] == [f"https://{target}/metrics"]
