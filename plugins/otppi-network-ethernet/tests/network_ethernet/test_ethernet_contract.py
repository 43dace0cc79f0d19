"""The contract of writers, held with a real NetworkManager and a cable."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.api.trials import Values, WriterType
from otppi.testing.network_manager import NetworkManagerProcess
from otppi.testing.network_writer import WRITER_CHECKS, WriterBench
from otppi_network_ethernet.plugin import SECTION, otppi_network_writers

OTHER = SECTION.defaults() | {"dhcp": False, "ip_address": "10.77.0.2", "gateway": "10.77.0.1", "dns1": "10.77.0.1"}
THIRD = OTHER | {"ip_address": "10.77.0.3", "prefix": 16, "netmask": "255.255.0.0", "gateway": "", "dns1": ""}


class EthernetBench(WriterBench):
    def __init__(self, folder: Path, network: NetworkManagerProcess) -> None:
        super().__init__(folder)
        self._network = network

    @property
    def writer_type(self) -> WriterType:
        (writer_type,) = otppi_network_writers()
        return writer_type

    @property
    def other(self) -> dict[str, Any]:
        return OTHER

    def is_used(self, values: Values) -> bool:
        if values["dhcp"]:
            return self._network.addresses == []
        address = f"{values['ip_address']}/{values['prefix']}"
        routes = [values["gateway"]] if values["gateway"] else []
        return self._network.addresses == [address] and self._network.default_routes == routes

    def restart_service(self) -> None:
        self._network.restart()

    def lose_power(self) -> None:
        self._network.lose_power()

    def end_service(self) -> None:
        self._network.end()


@pytest.mark.parametrize("check", WRITER_CHECKS, ids=lambda check: check.__name__)
def test_contract(tmp_path: Path, network: NetworkManagerProcess, check: Callable[[WriterBench], None]) -> None:
    """From DHCP, where there is no profile yet, to an address."""
    check(EthernetBench(tmp_path, network))


@pytest.mark.parametrize("check", WRITER_CHECKS, ids=lambda check: check.__name__)
def test_contract_from_an_address(
    tmp_path: Path, network: NetworkManagerProcess, check: Callable[[WriterBench], None]
) -> None:
    """From one address, of a profile on the card, to another one."""
    bench = EthernetBench(tmp_path, network)
    bench.writer().change(THIRD, 300).confirm()
    check(bench)
