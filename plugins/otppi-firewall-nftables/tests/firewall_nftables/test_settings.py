"""What may be set: refused with the field named, whichever of two sections is changed."""

from collections.abc import Mapping
from typing import Any

import pytest

from otppi_firewall_nftables.ports import BUILT_IN, Ports, Side
from otppi_firewall_nftables.settings import SECTION

from .conftest import row


def problems(*rows: Mapping[str, Any]) -> dict[str, str]:
    return {one.field: str(one.reason) for one in SECTION.validate({"ports": [dict(one) for one in rows]})[1]}


def test_rows() -> None:
    assert not problems(row(22, "tcp", "lan", "ssh"), row(22, "udp"), row(65535, open_to="nobody"))
    assert problems(row(22), row(22, open_to="lan")) == {"firewall.ports[1].port": "22, 'tcp' is there twice"}
    assert problems(row(0)) == {"firewall.ports[0].port": "must be at least 1"}
    assert problems({"protocol": "tcp"}) == {"firewall.ports[0].port": "is required"}
    assert problems(row(22, note="x" * 61)) == {"firewall.ports[0].note": "must be at most 60 characters"}


def test_ports_that_the_device_itself_needs() -> None:
    found = problems(row(53), row(67, "udp"), row(22))
    assert found["firewall.ports"].startswith("53/tcp, 67/udp is always as OTP-Pi itself needs it")
    assert not problems(row(67, "tcp"), row(5353, "tcp"))


class Document:
    """All settings, of which there are two sections."""

    def __init__(self, pages: Mapping[str, Any], *rows: Mapping[str, Any]) -> None:
        self._values = {"administration": pages, "firewall": {"ports": rows}}

    def object(self, section: str) -> Mapping[str, Any]:
        return self._values.get(section, {})

    def objects(self, section: str) -> list[Mapping[str, Any]]:
        return []

    def known(self, suggest: Any) -> list[str]:
        return []


PAGES = {"enable": True, "port": 8888, "bind_address": ""}


@pytest.mark.parametrize("to", ["lan", "access_point", "nobody"])
def test_the_port_of_the_pages_stays_open(to: str) -> None:
    (check,) = SECTION.check_document
    (problem,) = check(Document(PAGES, row(1), row(8888, open_to=to)))
    assert problem.field == "firewall.ports[1].open_to"
    assert problem.reason == "these pages are served at this port: it stays open to both"
    assert not list(check(Document(PAGES, row(8888))))
    assert not list(check(Document(PAGES, row(8888, "udp", to))))
    assert not list(check(Document(PAGES | {"enable": False}, row(8888, open_to=to))))
    assert not list(check(Document({}, row(8888, open_to=to))))
    assert not list(check(Document(PAGES | {"bind_address": "127.0.0.1"}, row(8888, open_to=to))))


def test_what_is_open() -> None:
    opened = Ports((8888, 8899), 8888, (row(8899, open_to="nobody"), row(8899, "udp", "lan"))).open()
    assert opened == {(Side.LAN, "tcp", 8888), (Side.ACCESS_POINT, "tcp", 8888), (Side.LAN, "udp", 8899)}
    assert Ports((), None, (row(80, open_to="access_point"),)).open() == {(Side.ACCESS_POINT, "tcp", 80)}
    assert len(BUILT_IN.open()) == 6
