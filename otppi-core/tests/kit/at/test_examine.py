"""Asking the ports of a device: which takes AT commands, who is there, and who holds them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from otppi.kit.at import examine as examining
from otppi.kit.at import port as ports
from otppi.kit.at.examine import Examined, examine
from otppi.kit.at.identity import same_imei
from otppi.simulator import ModemProfile, ModemRack, PortKind
from otppi.testing.waiting import PATIENCE, until

AT, URC, DIAG = PortKind.AT, PortKind.AT_URC, PortKind.DIAG


@contextmanager
def modem(*kinds: PortKind, **profile: Any) -> Iterator[Any]:
    with ModemRack(profiles=[ModemProfile(ports=kinds, **profile)], usb=True) as rack:
        yield rack.modems[0]


def ask(modem: Any, known: int = 0) -> Examined:
    return examine([str(path) for path in modem.ports], known)


@pytest.mark.parametrize("kinds", [(DIAG, AT, URC), (URC, AT, DIAG), (AT, URC)])
def test_the_port_that_speaks_of_its_own_accord_is_chosen(kinds: tuple[PortKind, ...]) -> None:
    with modem(*kinds, chatter=("^RSSI: 20",), chatter_interval=0.05) as stick:
        assert ask(stick).port == str(stick.ports[kinds.index(URC)])


def test_a_port_that_a_plugin_knows_is_taken_as_soon_as_it_answers() -> None:
    with modem(AT, DIAG, URC, chatter=("^RSSI: 20",), chatter_interval=0.05) as stick:
        assert ask(stick, known=1).port == str(stick.ports[0])


def test_of_two_quiet_ports_the_first_is_taken() -> None:
    with modem(AT, AT) as stick:
        assert ask(stick).port == str(stick.ports[0])


def test_what_is_read() -> None:
    with modem(URC, imei="350000000000044") as stick:
        found = ask(stick)
    assert (found.identity.imei, found.identity.operator, found.sim) == ("350000000000044", "Simulated", "READY")
    assert found.identity.iccid
    assert found.problem == ""


def test_a_locked_sim_and_no_network_do_not_matter() -> None:
    with modem(URC, pin="4711") as stick:
        stick.inject("registration-lost")
        found = ask(stick)
        assert (found.sim, found.identity.imei) == ("SIM PIN", stick.profile.imei)
        assert stick._peer.sim.pin_tries == 3


@pytest.mark.parametrize("fault", ["stale-edit-mode", "boot-garbage", "first-at-ignored", "noise", "imei-missing"])
def test_a_difficult_modem(fault: str) -> None:
    with modem(URC) as stick:
        stick.inject(fault)
        found = ask(stick)
        assert found.identity.model == stick.profile.model
        assert stick._peer.network.message_count == 0


def test_nothing_answers() -> None:
    with modem(DIAG, DIAG) as stick:
        found = ask(stick)
    assert (found.port, found.problem, found.held_by) == ("", "nothing answers AT commands", ())


def test_a_port_that_is_gone() -> None:
    assert "there is no /dev/nowhere" in examine(["/dev/nowhere"]).problem


def test_a_port_that_a_program_holds_is_not_asked() -> None:
    with modem(URC) as stick:
        stick.inject("port-held")
        stick.unplug()
        stick.replug()
        found = ask(stick)
    assert found.port == ""
    (holder,) = found.held_by
    assert holder.startswith("ModemManager (")
    assert found.problem == f"held by {holder}: see docs/hot-plug.md for how to keep it off"


def test_a_modem_that_vanishes_while_it_is_asked() -> None:
    with modem(URC) as stick:
        stick.inject("brown-out", seconds=10 * PATIENCE, code=10)  # it does not come back before it was looked at
        paths = [str(path) for path in stick.ports]
        # On a busy machine it may seem silent before it goes.
        until(lambda: examine(paths).problem and not stick.plugged, "it vanishes, and that is told")


def test_a_program_of_another_user_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "port_holders", lambda _: [])
    monkeypatch.setattr(ports, "_suspects", lambda: ["ModemManager (412)"])
    error = ports._cannot_open("/dev/null", OSError(16, "Device or resource busy"))
    assert "probably ModemManager (412)" in error.cause

    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(examining, "Port", refuse)
    assert examine(["/dev/null"]).held_by == ("ModemManager (412)",)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("350000000000010", "350000000000010", True),
        ("350000000000010", "350000000000011", False),
        ("35000000000001", "350000000000010", True),
        ("3500000000000101", "350000000000017", True),
        ("3500000000000101", "3500000000000102", True),
        ("3500000000000101", "3500000000000201", False),
        ("", "", False),
        ("", "350000000000010", False),
        ("350000000000010", "", False),
    ],
)
def test_imeis_of_one_modem(one: str, other: str, same: bool) -> None:
    assert same_imei(one, other) is same
