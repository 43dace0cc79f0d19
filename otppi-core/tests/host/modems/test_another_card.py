"""The SIM card that is in is not the one that is set: said wherever people look (issue 9, row 16)."""

from otppi.api.modem import ModemIdentity
from otppi.host.host import Host
from otppi.host.modems.worker import modem_workers
from otppi.host.parts import registry_of
from otppi.host.runtime.registry import COMMAND_LINE
from otppi.testing.scripted import until


def test_it_is_in_health_and_in_the_list_of_modems(host: Host) -> None:
    operations = registry_of(host.data, host)
    modem = {"name": "m0", "type": "scripted", "imsi": "001010000001234", "port": "/dev/made-up"}
    operations.call("settings_import", {"document": {"modems": [modem]}}, COMMAND_LINE)
    (worker,) = modem_workers(host.dispatch.workers())
    until(lambda: worker.status.state.value == "ready", "the modem is ready")
    found = ModemIdentity(imsi="001010000000007", msisdn="+6281200000007")
    worker.modem.identity = lambda: found  # type: ignore[method-assign]
    others = [one for one in host.warnings() if "SIM card" not in one]
    (listed,) = operations.call("modems", {}, COMMAND_LINE)
    assert listed["msisdn"] == "+6281200000007"
    assert "its IMSI ends in 0007, not in 1234" in listed["sim_problem"]
    assert any("modem m0: another SIM card" in warning for warning in host.gateway.health()["warnings"])
    operations.call("settings_set", {"path": "modems.m0.imsi", "value": "001010000000007"}, COMMAND_LINE)
    assert host.warnings() == others
