"""The contract of writers, held with the unit's program; systemd is a stand-in. The real one: tests/image/twin."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.api.trials import Values, Writer, WriterContext, WriterType
from otppi.testing.network_writer import WRITER_CHECKS, WriterBench
from otppi.testing.system_units import SystemUnits
from otppi_network_dhcp.plugin import SECTION, otppi_network_writers
from otppi_network_dhcp.render import render
from otppi_network_dhcp.writer import DhcpWriter

from .device import Device

OTHER = SECTION.defaults() | {
    "domain_name": "kantor.example",
    "lease_time": 120,
    "ranges": [{"first": "192.168.0.30", "last": "192.168.0.40"}, {"first": "192.168.0.60", "last": "192.168.0.60"}],
}


class DhcpBench(WriterBench):
    def __init__(self, folder: Path, device: Device, units: SystemUnits) -> None:
        super().__init__(folder)
        self._device = device
        self._units = units

    @property
    def writer_type(self) -> WriterType:
        (writer_type,) = otppi_network_writers()
        return writer_type

    @property
    def context(self) -> WriterContext:
        return WriterContext(self._device.folder, self.folder / "card")

    def writer(self) -> Writer:
        return DhcpWriter(self.context, self._device.files)

    @property
    def other(self) -> dict[str, Any]:
        return OTHER

    def is_used(self, values: Values) -> bool:
        told = self._device.files.configuration.read_text().splitlines()
        ranges = [f"dhcp-range={one['first']},{one['last']}," for one in values["ranges"]]
        given = [one for one in told if one.startswith("dhcp-range=")]
        return (
            len(given) == len(ranges)
            and all(one.startswith(begin) for one, begin in zip(given, ranges, strict=True))
            and f"domain={values['domain_name']}" in told
        )

    def restart_service(self) -> None:
        render(self._device.files)

    def lose_power(self) -> None:
        self._device.end_timer()
        shutil.rmtree(self._device.files.folder)
        render(self._device.files)

    def end_service(self) -> None:
        self._units.behave(refuse="org.freedesktop.DBus.Error.ServiceUnknown")


@pytest.mark.parametrize("check", WRITER_CHECKS, ids=lambda check: check.__name__)
def test_contract(tmp_path: Path, device: Device, units: SystemUnits, check: Callable[[WriterBench], None]) -> None:
    check(DhcpBench(tmp_path, device, units))
