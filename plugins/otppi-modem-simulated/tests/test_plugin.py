"""The modem type `simulated`, as the host gets it."""

from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import ModemLost, Unconfirmed
from otppi.api.message import OutgoingMessage
from otppi.api.modem import Modem, ModemContext, RecoveryStep
from otppi.api.operations import Actor, Role
from otppi.host.modems.settings import MODEMS
from otppi.host.runtime.registry import Registry
from otppi.kit.at import channel as at_channel
from otppi_modem_simulated.plugin import otppi_modem_types, otppi_operations


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_channel, "_PROBE_TIMEOUT", 0.15)


def make(folder: Path, **raw: Any) -> Modem:
    (modem_type,) = otppi_modem_types()
    settings, problems = MODEMS.extended(modem_type).validate({"name": "demo", "type": "simulated", **raw})
    assert not problems
    return modem_type.create(ModemContext(settings, folder))


def message(text: str) -> OutgoingMessage:
    return OutgoingMessage(message_id="1", destination="628126666666", text=text, validity=60)


def test_what_is_sent_arrives_on_the_phone_also_after_it_was_opened_anew(tmp_path: Path) -> None:
    modem = make(tmp_path, network_time=0, sim_card_pin="1234")
    for text in ("first", "second"):
        modem.open()
        modem.send(message(text))
        modem.close()
        modem.close()
    assert [(one.destination, one.text) for one in modem.phone()] == [
        ("628126666666", text) for text in ("first", "second")
    ]
    assert "first" not in repr(modem.phone())


def test_faults_are_there_from_the_start(tmp_path: Path) -> None:
    modem = make(tmp_path, network_time=0, faults=["result-lost-sent"], result_timeout=0.5)
    modem.open()
    with pytest.raises(Unconfirmed):
        modem.send(message("text"))
    modem.close()


def test_an_unknown_fault_is_a_problem_of_its_field() -> None:
    (modem_type,) = otppi_modem_types()
    assert modem_type.embedded_default
    _, problems = MODEMS.extended(modem_type).validate({"name": "demo", "faults": ["gremlins"]})
    assert [problem.field for problem in problems] == ["modems.faults"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("fault", "cure"),
    [
        ("registration-lost", RecoveryStep.RADIO),
        ("registration-stuck", RecoveryStep.RESET),
        ("registration-stuck", RecoveryStep.POWER),
        ("silence", RecoveryStep.POWER),
    ],
)
def test_a_fault_stays_until_it_is_cured_as_on_a_real_modem(tmp_path: Path, fault: str, cure: RecoveryStep) -> None:
    modem = make(tmp_path, network_time=0, faults=[fault, "cmms-error"])
    for _ in range(2):
        with pytest.raises(ModemLost):
            modem.open()
        modem.close()
    assert modem.recover(cure)
    modem.open()
    modem.send(message("text"))
    modem.close()
    assert [one.text for one in modem.phone()] == ["text"]


@pytest.mark.usefixtures("impatient")
def test_a_simulated_modem_that_is_silent_takes_no_command(tmp_path: Path) -> None:
    modem = make(tmp_path, faults=["silence"])
    with pytest.raises(ModemLost):
        modem.recover(RecoveryStep.RESET)
    assert modem.recover(RecoveryStep.POWER)
    assert modem.recover(RecoveryStep.REINITIALISE)
    modem.open()
    modem.close()


def test_it_has_the_imei_that_is_set(tmp_path: Path) -> None:
    modem = make(tmp_path, imei="350000000000036")
    try:
        modem.open()
        assert modem.identity().imei == "350000000000036"
    finally:
        modem.close()


def test_the_operation_names_what_the_setting_can_name(tmp_path: Path) -> None:
    registry = Registry(otppi_operations())
    listed = registry.call("simulated_faults", {}, Actor("ayu", "pages", Role.VIEWER))
    assert all(one["summary"] for one in listed)
    make(tmp_path, faults=[one["fault"] for one in listed])
    with pytest.raises(AssertionError):
        make(tmp_path, faults=["nothing"])
