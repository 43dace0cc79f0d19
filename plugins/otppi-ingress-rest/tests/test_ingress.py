"""The ingress as the host sees it: registration, settings, ports, a repeated start."""

import importlib.metadata
import re
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import OtpPiError
from otppi.api.ingress import IngressContext
from otppi.testing.waiting import PATIENCE
from otppi_ingress_rest.ingress import RestIngress
from otppi_ingress_rest.settings import SECTION, command_paths, enabled


def create(gateway: Any, folder: Path, **changes: Any) -> RestIngress:
    settings, problems = SECTION.validate({"https_enable": False, **changes})
    assert not problems
    return RestIngress(IngressContext(settings, gateway, folder))


def test_it_registers_through_its_entry_point(gateway: Any, tmp_path: Path) -> None:
    [entry] = [one for one in importlib.metadata.entry_points(group="otppi") if one.name == "ingress-rest"]
    [kind] = entry.load().otppi_ingress_types()
    assert kind.section.key == "ingress-rest"
    assert kind.section.reset_group == "api"
    defaults = kind.section.defaults()
    assert (defaults["http_port"], defaults["https_port"], defaults["wait_seconds"]) == (8899, 10443, 15)
    assert kind.enabled(defaults)
    assert not enabled({**defaults, "http_enable": False, "https_enable": False})
    assert isinstance(kind.create(IngressContext(defaults, gateway, tmp_path)), RestIngress)


def test_the_readme_leads_to_every_setting() -> None:
    readme = Path(__file__).parents[1] / "README.md"
    (target,) = re.findall(r"\]\((\S+/settings\.md)#ingress-rest-rest-api\)", readme.read_text("utf-8"))
    page = (readme.parent / target).read_text("utf-8").split("\n## `ingress-rest`: REST API\n")[1].split("\n## ")[0]
    assert [setting.key for setting in SECTION.settings if f"| `{setting.key}` |" not in page] == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("message_path", ""),
        ("message_path", "api"),
        ("message_path", "/"),
        ("message_path", "/a?b"),
        ("message_path", "/api/health"),
        ("blocking_path", "/api/messages/x"),
        ("http_port", 65536),
        ("http_port", -1),
        ("bind_address", "somewhere"),
        ("wait_seconds", 61),
        ("max_body_bytes", 0),
    ],
)
def test_settings_that_cannot_work_are_named(key: str, value: object) -> None:
    _, [problem] = SECTION.validate({key: value})
    assert problem.field == f"ingress-rest.{key}"


def test_a_path_may_be_empty_but_the_first() -> None:
    settings, problems = SECTION.validate({"message_path": "/a", "blocking_path": "", "unblocking_path": ""})
    assert not problems
    assert command_paths(settings)[:2] == ("/a", "/api/message")


def test_a_port_in_use_is_named(gateway: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ingress = create(gateway, tmp_path, http_port=port, bind_address="127.0.0.1")
        with pytest.raises(OtpPiError, match=rf"Port {port} \(ingress-rest\.http_port\).*another program uses it"):
            ingress.run()
    thread = threading.Thread(target=ingress.run)  # the supervisor tries again, with the same object
    thread.start()
    ingress.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_an_address_of_another_device_is_named(gateway: Any, tmp_path: Path) -> None:
    ingress = create(gateway, tmp_path, http_port=0, bind_address="192.0.2.1")
    with pytest.raises(OtpPiError, match=r"192\.0\.2\.1 is not an address of this device"):
        ingress.run()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"http_port": 4000, "https_port": 4000}, "https_port"),
        ({"certificate_file": "/c.pem"}, "private_key_file"),
        ({"private_key_file": "/k.pem"}, "certificate_file"),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_set(values: dict[str, Any], field: str) -> None:
    assert [one.field for one in SECTION.validate(values)[1]] == [f"ingress-rest.{field}"]
    assert SECTION.validate({"https_enable": False, **values})[1] == []


def test_two_ports_that_are_any_may_be_equal() -> None:
    assert SECTION.validate({"http_port": 0, "https_port": 0})[1] == []


def test_stop_before_run_and_stop_twice(gateway: Any, tmp_path: Path) -> None:
    ingress = create(gateway, tmp_path, http_port=0)
    assert ingress.describe() == {"listening": False}
    ingress.stop()
    ingress.stop()
    ingress.run()
    assert ingress.describe() == {"listening": False}


def test_all_addresses_means_both_families(serve: Any, http: Any) -> None:
    served = serve(bind_address="")
    assert served.ask(http.post(http.SMS))[0] == 200
    assert served.gateway.taken[0][1].address == "127.0.0.1"
    try:
        sock = socket.create_connection(("::1", served.port))
    except OSError:
        pytest.skip("this machine has no IPv6")
    with sock:
        sock.sendall(http.post(http.SMS))
        assert sock.recv(100).startswith(b"HTTP/1.1 200")
    assert served.gateway.taken[1][1].address == "::1"
