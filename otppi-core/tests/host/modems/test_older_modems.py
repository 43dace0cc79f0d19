"""A modem of a plugin that was written for the version before, whose `send` takes no hooks."""

from typing import Any

from otppi.api.errors import Unconfirmed
from otppi.api.message import OutgoingMessage, State
from otppi.testing.bench import DispatchBench
from otppi.testing.scripted import ScriptedModem


class OlderModem(ScriptedModem):
    """Finds the hooks where the version before had them: in the message's progress."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.parts = 1
        self.noted: list[int] = []

    def send(self, message: OutgoingMessage) -> None:  # type: ignore[override]  # as the version before had it
        progress: Any = message.progress
        progress.segments = self.parts
        progress.meanwhile()
        progress.before_dispatch()
        self.noted.append(len(progress.references))
        if self.script:
            step = self.script.popleft()
            assert isinstance(step, Exception)
            raise step
        progress.meanwhile()
        progress.references.extend(range(self.parts))


def test_it_sends_and_what_it_did_is_known(bench: DispatchBench) -> None:
    modem = bench.modems["m0"] = OlderModem("m0")
    modem.parts = 2
    bench.dispatch.replace_egresses([bench.make(modem)])
    bench.start("m0")
    record = bench.enqueue()
    assert bench.end(record) == (State.SENT,)
    assert (record.segments, record.progress.references, modem.noted) == (2, [0, 1], [0])


def test_a_crash_behind_its_hook_is_unconfirmed(bench: DispatchBench) -> None:
    modem = bench.modems["m0"] = OlderModem("m0")
    modem.script.append(Unconfirmed("no answer"))
    bench.dispatch.replace_egresses([bench.make(modem)])
    bench.start("m0")
    record = bench.enqueue()
    assert bench.end(record) == (State.UNCONFIRMED,)
    assert f'["dispatched","{record.message_id}","m0",1,[]]' in (bench.folder / "boot" / "journal").read_text()
