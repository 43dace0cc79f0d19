"""A healthy modem calls what is registered with it, and knows nothing of faults."""

import pytest

from otppi.simulator import ModemPeer, ModemProfile, Stage
from otppi.simulator.stages import Hooks, Moment
from otppi.testing.terminal import Terminal


class Watching(Hooks):
    """Notes what it is called for, and ends the matter at one stage."""

    def __init__(self, ends: Stage | None = None) -> None:
        self.called: list[Stage | str] = []
        self._ends = ends

    def strike(self, stage: Stage, moment: Moment) -> bool:
        self.called.append(stage)
        return stage is self._ends

    def powered_on(self, now: float) -> None:
        self.called.append("powered on")

    def radio_switched_on(self) -> None:
        self.called.append("radio on")


def hand(hooks: Hooks) -> Terminal:
    peer = ModemPeer(ModemProfile(echo=False))
    peer.hooks = hooks
    return Terminal(peer)


def test_a_modem_with_no_hooks_is_healthy() -> None:
    line = hand(Hooks())
    assert line.ask("AT") == ["OK"]
    assert "+CMGS: 0" in line.send("text")


def test_each_stage_of_a_message_is_called_in_its_order() -> None:
    hooks = Watching()
    assert "+CMGS: 0" in hand(hooks).send("text", report=True)
    assert hooks.called == [Stage.LINE, Stage.CMGS, Stage.PROMPTED, Stage.SUBMIT, Stage.REPORT, Stage.REPLY]


def test_ussd_and_a_call_have_stages_of_their_own() -> None:
    hooks = Watching()
    line = hand(hooks)
    line.ask('AT+CUSD=1,"*123#",15')
    line.ask("ATD*99#")
    assert hooks.called == [Stage.LINE, Stage.USSD, Stage.REPLY, Stage.LINE, Stage.DIAL, Stage.REPLY]


def test_power_and_radio_are_told() -> None:
    hooks = Watching()
    line = hand(hooks)
    line.peer.unplug(line.now)
    line.peer.plug(line.now)
    line.ask("AT+CFUN=4")
    line.ask("AT+CFUN=1")
    assert [one for one in hooks.called if isinstance(one, str)] == ["powered on", "radio on"]


@pytest.mark.parametrize("stage", [Stage.LINE, Stage.CMGS, Stage.SUBMIT, Stage.REPORT])
def test_what_is_registered_may_end_the_matter(stage: Stage) -> None:
    said = hand(Watching(ends=stage)).send("text", report=True)
    assert ("+CMGS:" in said) is (stage is Stage.REPORT)
    assert "+CDS" not in said
    assert "ERROR" not in said
