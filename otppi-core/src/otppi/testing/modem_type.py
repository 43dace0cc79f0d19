"""What every type of modem has to do: a plugin's tests call it with modems, captures and profiles of its own.

`MODEM_CHECKS` take a `ModemBench`: what makes a modem of the type and lets its other end misbehave. They are those of
every egress (`otppi.testing.egress`) and those of a modem. For a type on an AT port `PeerBench` is such a bench, with
the simulated modem at the other end; `sends_by_capture` and its like are for captured dialogues.
"""
# ruff: noqa: S101 - these are tests

import re
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from otppi.api.devices import UsbMatch
from otppi.api.errors import ModemBlocked, ModemLost, NotSent, NotSupported, SendError, Unconfirmed
from otppi.api.modem import Modem, ModemContext, ModemIdentity, ModemType, RecoveryStep
from otppi.host.modems.settings import MODEMS
from otppi.simulator import ModemProfile, ModemRack
from otppi.simulator.sim import PIN_TRIES
from otppi.testing.egress import CHECKS, EgressBench, NotedHooks, message_for
from otppi.testing.egress import opened as opened_egress
from otppi.testing.leaks import leaves_nothing
from otppi.testing.logs import all_log_lines
from otppi.testing.replay import Replay, a_message, opened
from otppi.testing.waiting import until

_REFERENCE = 41
"""TP-MR that every capture answers."""


@dataclass(frozen=True, slots=True)
class CapturedDialogue:
    """What a captured modem was asked, and what it told of itself."""

    identity: ModemIdentity
    asked: tuple[str, ...]


def sends_by_capture(modem_type: ModemType, capture: Path, boot_folder: Path) -> CapturedDialogue:
    """Send a message by a captured modem, which the type has to recognise as its own."""
    message = a_message()
    with Replay(capture) as replay, opened(modem_type, replay.path, boot_folder) as modem:
        modem.send(message)
        dialogue = CapturedDialogue(modem.identity(), tuple(replay.asked))
        assert len(replay.payloads) == 1
    assert message.progress.references == [_REFERENCE]
    assert modem_type.recognises is not None
    assert modem_type.recognises(dialogue.identity)
    return dialogue


def is_made_ready_after_a_restart(modem_type: ModemType, capture: Path, boot_folder: Path) -> None:
    """Restart a modem on a UART, which keeps its port and has forgotten all that was set: it is opened anew."""
    with Replay(capture) as replay, opened(modem_type, replay.path, boot_folder) as modem:
        replay.speak()
        with pytest.raises(ModemLost, match="restarted"):
            until(lambda: modem.idle(0.1) or False)
        modem.close()
        modem.open()
        modem.send(a_message())


def works_with_the_peer(modem_type: ModemType, profile: ModemProfile, boot_folder: Path, **settings: Any) -> None:
    """Send by the modem peer that answers as a model does, and read what only that model's commands tell."""
    with (
        ModemRack(profile=profile) as rack,
        opened(modem_type, str(rack.paths[0]), boot_folder, **settings) as modem,
    ):
        modem.send(a_message("kode 1"))
        (message,) = rack.network.wait_for(1)
        assert message.text == "kode 1"
        assert modem.identity().iccid == rack.modems[0].profile.iccid
        assert modem.sim_status().pin_tries == PIN_TRIES


def has_udev_rules(rules: Path, matches: Iterable[UsbMatch]) -> None:
    """Expect that the rules name each vendor whose every device is this type's, and no other."""
    text = rules.read_text()
    vendors = {match.vendor_id for match in matches}
    named = {vendor for vendor in vendors if f'"{vendor}"' in text}
    assert named == {match.vendor_id for match in matches if not match.product_id}


# -- the contract of a modem -------------------------------------------------------------------------------------------


class ModemBench(EgressBench):
    """One type of modem with what stands at its other end. Subclass it in a plugin's tests."""

    @property
    @abstractmethod
    def modem_type(self) -> ModemType:
        """The type under test."""

    @abstractmethod
    def make(self) -> Modem:
        """Make a modem that is not open; its time-outs are short, so that what never comes is not waited for long."""

    def block(self) -> None:
        """Let the SIM card want a PIN that the settings do not have."""
        pytest.skip("this one has no SIM card")

    def tries(self) -> int:
        """Return how many tries for the PIN are left."""
        pytest.skip("this one has no SIM card")

    def lose_result(self) -> None:
        """Let the next message go out, and its result never come."""
        pytest.skip("this one cannot lose a result")

    def refuse(self) -> None:
        """Let the next message be refused for a reason that is gone afterwards."""
        pytest.skip("this one refuses nothing")


@contextmanager
def opened_modem(bench: ModemBench) -> Iterator[Modem]:
    """Open a modem, and close it in any case."""
    with opened_egress(bench) as egress:
        yield cast("Modem", egress)


def is_declared(bench: ModemBench) -> None:
    """Expect a key, a title and a help, and that its settings are a section together with those of all modems."""
    declared = bench.modem_type
    assert re.fullmatch(r"[a-z][a-z0-9-]*", declared.key)
    assert declared.title
    assert declared.help.endswith(".")
    values, problems = MODEMS.extended(declared).validate({"name": "m0", "type": declared.key, "port": "/dev/ttyUSB0"})
    assert problems == []
    assert values["name"] == "m0"


def is_made_without_touching_anything(bench: ModemBench) -> None:
    """Expect that making one opens no port and starts no thread: settings are looked at by making them."""
    with leaves_nothing():
        bench.make()


def leaves_nothing_behind(bench: ModemBench) -> None:
    """Open and close it again and again, also where opening fails: it keeps no thread and no descriptor."""
    modem = bench.make()
    modem.open()  # what is opened once for all, such as a bus, is no leak
    modem.close()
    with leaves_nothing():
        for _ in range(3):
            modem.open()
            modem.send(message_for(modem))
            modem.close()


def says_who_it_is(bench: ModemBench) -> None:
    """Ask for the identity on any thread, also before it was opened; the type knows its own modem again."""
    modem = bench.make()
    assert isinstance(modem.identity(), ModemIdentity)
    with opened_modem(bench) as modem:
        told: list[ModemIdentity] = []
        thread = threading.Thread(target=lambda: told.append(modem.identity()))
        thread.start()
        thread.join()
        (identity,) = told
        assert re.fullmatch(r"[0-9]{15}", identity.imei)
        if bench.modem_type.recognises is not None:
            assert bench.modem_type.recognises(identity)
    assert modem.identity().imei == identity.imei, "it is still known when it is closed"


def waits_for_a_person(bench: ModemBench) -> None:
    """Where a PIN is wanted that is not set it is blocked, says so, and tries none: three wrong ones lock the card."""
    bench.block()
    modem, tries = bench.make(), bench.tries()
    try:
        for _ in range(4):
            with pytest.raises(ModemBlocked) as caught:
                modem.open()
            assert "PIN" in str(caught.value)
            modem.close()
        assert bench.tries() == tries
        assert bench.texts() == []
    finally:
        modem.close()


def says_that_it_does_not_know(bench: ModemBench) -> None:
    """Expect that a message whose result never comes is unconfirmed and sent once, and that the next one goes out."""
    with opened_modem(bench) as modem:
        bench.lose_result()
        hooks = NotedHooks(bench)
        with pytest.raises(Unconfirmed) as caught:
            modem.send(message_for(modem, "first", 1), hooks)
        assert str(caught.value), "people are told why"
        assert hooks.before == [0], "it was said before that it may go out"
        _send_at_last(modem, "second", 2)
        until(lambda: len(bench.texts()) >= 2, "the second has arrived")
    assert bench.texts() == ["first", "second"]


def says_that_nothing_went_out(bench: ModemBench) -> None:
    """Expect that a message that is refused did not go out, with the reason, and that the next one goes out."""
    with opened_modem(bench) as modem:
        bench.refuse()
        with pytest.raises(SendError) as caught:
            modem.send(message_for(modem, "first", 1))
        assert not isinstance(caught.value, Unconfirmed)
        assert str(caught.value), "people are told why"
        assert bench.texts() == []
        _send_at_last(modem, "second", 2)
        until(lambda: bench.texts() == ["second"], "the second has arrived")


def keeps_what_it_sent_and_who_got_it(bench: ModemBench) -> None:
    """Expect that what goes wrong is told without the text, the receiver's number and what opens the SIM card."""
    secrets = ("made-up secret 918273", message_for(bench.make()).destination, *bench.secrets())
    with all_log_lines() as noted, opened_modem(bench) as modem:
        bench.refuse()
        with pytest.raises(SendError) as caught:
            modem.send(message_for(modem, secrets[0]))
        noted += [str(caught.value), repr(caught.value), repr(modem.identity())]
    assert not [line for line in noted if any(secret in line for secret in secrets)]


def takes_each_step_or_has_none(bench: ModemBench) -> None:
    """Each step of recovery is taken or is none of its, on a modem that is closed; afterwards it can be opened."""
    modem = bench.make()
    try:
        for step in RecoveryStep:
            with suppress(ModemLost):
                assert modem.recover(step) in (True, False)

            def opens() -> bool:
                try:
                    modem.open()
                except ModemLost:
                    modem.close()
                    return False
                return True

            until(opens, f"it opens again after {step}")
            modem.close()
        modem.open()
        modem.send(message_for(modem))
        until(lambda: bench.texts() == ["made-up text"])
    finally:
        modem.close()


def says_what_it_cannot_do(bench: ModemBench) -> None:
    """Ask for what only some modems can: it is done, or is not supported and says so; nothing else is raised."""
    with opened_modem(bench) as modem:
        for ability in (modem.cancel_ussd, modem.sim_status, modem.clear_memory):
            with suppress(NotSupported):
                ability()
        modem.send(message_for(modem))
        until(lambda: bench.texts() == ["made-up text"])


def _send_at_last(modem: Modem, text: str, number: int) -> None:
    """Send as the gateway does: again where nothing went out, and opened anew where it was lost."""

    def sent() -> bool:
        try:
            modem.send(message_for(modem, text, number))
        except ModemLost:
            modem.close()
            with suppress(ModemLost):
                modem.open()
            return False
        except NotSent:
            return False
        return True

    until(sent, "the next message goes out")


MODEM_CHECKS: tuple[Callable[[Any], None], ...] = (
    *CHECKS,
    is_declared,
    is_made_without_touching_anything,
    leaves_nothing_behind,
    says_who_it_is,
    waits_for_a_person,
    says_that_it_does_not_know,
    says_that_nothing_went_out,
    keeps_what_it_sent_and_who_got_it,
    takes_each_step_or_has_none,
    says_what_it_cannot_do,
)


class PeerBench(ModemBench):
    """A type on an AT port, with the simulated modem at the other end.

    Args:
        modem_type: The type.
        rack: A rack of one modem, answering as a model of this type does.
        folder: An empty folder.
        settings: Those that the model needs beyond the defaults.
    """

    PIN = "4821"

    def __init__(self, modem_type: ModemType, rack: ModemRack, folder: Path, **settings: Any) -> None:
        self._modem_type = modem_type
        self._rack = rack
        self._folder = folder
        self._settings = settings

    @property
    def modem_type(self) -> ModemType:
        """The type under test."""
        return self._modem_type

    def make(self) -> Modem:
        """Make a modem with a PIN in its settings."""
        quick = {"name": "m0", "port": str(self._rack.paths[0]), "sim_card_pin": self.PIN, "result_timeout": 1.0}
        values, problems = MODEMS.extended(self._modem_type).validate(quick | self._settings)
        assert not problems
        return self._modem_type.create(ModemContext(values, self._folder))

    def texts(self) -> list[str]:
        """Return what arrived."""
        return [message.text for message in self._rack.network.messages]

    def lose(self) -> None:
        """Unplug it."""
        self._rack.modems[0].unplug()

    def secrets(self) -> list[str]:
        """Return the PIN."""
        return [self.PIN]

    def block(self) -> None:
        """Ask for another PIN than that of the settings, with one try left, which is not to be used."""
        self._settings["sim_card_pin"] = ""
        self._rack.modems[0].inject("pin-last-try")

    def tries(self) -> int:
        """Return the tries that are left, as the card counts them."""
        return self._rack.modems[0].pin_tries

    def lose_result(self) -> None:
        """Send, and never say +CMGS."""
        self._rack.modems[0].inject("result-lost-sent", times=1)

    def refuse(self) -> None:
        """Answer with +CMS ERROR: 38, the network is out of order (3GPP TS 27.005 3.2.5)."""
        self._rack.modems[0].inject("cms-error", at=1)


@contextmanager
def peer_bench(
    modem_type: ModemType, folder: Path, profile: ModemProfile | None = None, **settings: Any
) -> Iterator[PeerBench]:
    """Yield the bench of a type on an AT port, with a simulated modem that answers as a model does."""
    with ModemRack(profile=profile) as rack:
        yield PeerBench(modem_type, rack, folder, **settings)
