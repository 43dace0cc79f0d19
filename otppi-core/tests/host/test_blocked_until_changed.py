"""`InvalidSettings` in a thread: an ingress, an egress and internet are blocked until changed, and not tried again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.api.egress import EgressState
from otppi.api.errors import InvalidSettings
from otppi.api.internet import Internet, InternetContext, InternetState, InternetStatus, InternetType
from otppi.api.modem import ModemIdentity
from otppi.api.settings import Section
from otppi.host.host import Host
from otppi.host.modems.internet import InternetLinks
from otppi.host.modems.settings import MODEMS
from otppi.host.runtime.supervisor import ThreadState
from otppi.kit.net.back_off import Backoff
from otppi.testing.scripted import ScriptedModem
from otppi.testing.values import values_of
from otppi.testing.waiting import until
from otppi.wire.errors import FieldError

REFUSAL = InvalidSettings([FieldError("speed", "the modem has no such speed")])
M0 = {"modems": [{"name": "m0", "type": "scripted"}]}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have whoever is tried again be so at once: one that is blocked has to stand out."""
    monkeypatch.setattr(Backoff, "delay", lambda _: 0.0)


def test_an_egress_is_blocked_and_says_which_field(
    host: Host, doubles: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened = []

    def refuse(modem: ScriptedModem) -> None:
        opened.append(modem)
        raise REFUSAL

    with monkeypatch.context() as refusing:
        refusing.setattr(ScriptedModem, "open", refuse)
        host.apply(host.data.config.update(M0))
        (worker,) = host.dispatch.workers()
        (thread,) = host.fleet.threads()
        until(lambda: thread.supervision.state is ThreadState.BLOCKED)
        assert (worker.status.state, worker.status.detail) == (
            EgressState.BLOCKED,
            "speed: the modem has no such speed",
        )
        assert caplog.text.count("modem m0 is blocked until its settings are changed") == 1
        assert len([one for one in opened if one.name == "m0"]) == 1
    changed = {"modems": [M0["modems"][0] | {"speed": 2.0}]}
    host.apply(host.data.config.update(changed))
    until(lambda: [one.status.state for one in host.dispatch.workers()] == [EgressState.READY])


def test_an_ingress_is_blocked(host: Host, doubles: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    until(lambda: doubles.ingresses)
    tried = []

    def refuse(_: object) -> None:
        tried.append(1)
        raise REFUSAL

    with monkeypatch.context() as refusing:
        refusing.setattr(type(doubles.ingresses[-1]), "run", refuse)
        host.apply(host.data.config.update({"ingress-test": {"port": 8081}}))
        until(lambda: host.ingresses.describe()[0]["state"] == "blocked until its settings are changed")
        assert any("speed: the modem has no such speed" in one for one in host.gateway.health()["warnings"])
        assert len(tried) == 1
    host.apply(host.data.config.update({"ingress-test": {"port": 8082}}))
    until(lambda: host.ingresses.describe()[0]["state"] == "running")


class Refusing(Internet):
    """A connection that finds out on its thread that it cannot be."""

    def __init__(self, _: InternetContext) -> None:
        self.runs = 0

    def run(self) -> None:
        self.runs += 1
        raise REFUSAL

    def stop(self) -> None:
        """End nothing."""

    def status(self) -> InternetStatus:
        return InternetStatus(InternetState.WAITING, 1.0)


def refuses_to_be_made(_: InternetContext) -> Internet:
    raise REFUSAL


@pytest.mark.parametrize("create", [refuses_to_be_made, Refusing])
def test_internet_is_blocked(tmp_path: Path, create: Callable[[InternetContext], Internet]) -> None:
    section = Section(key="internet-x", title="Internet", help="For tests.", settings=(), reset_group="test")
    links = InternetLinks(
        InternetType(section, create), lambda _: ModemIdentity(), lambda _: "", lambda: (), (), tmp_path
    )
    links.configure([values_of(MODEMS, name="m0", internet_access=True)], {})
    try:
        (thread,) = links.threads()
        until(lambda: thread.supervision.state is ThreadState.BLOCKED)
        assert thread.supervision.failures == 1
        (status,) = links.status()
        assert (status["state"], status["detail"]) == ("stopped", "speed: the modem has no such speed")
        assert links.warnings() == [
            "internet m0 is blocked until its settings are changed: speed: the modem has no such speed"
        ]
    finally:
        links.stop()
