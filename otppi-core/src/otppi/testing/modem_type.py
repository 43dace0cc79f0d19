"""What every type of modem on an AT port has to do: a plugin's tests call it with captures and profiles of its own."""
# ruff: noqa: S101 - these are tests

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from otppi.api.devices import UsbMatch
from otppi.api.errors import ModemLost
from otppi.api.modem import ModemIdentity, ModemType
from otppi.simulator import ModemProfile, ModemRack
from otppi.simulator.sim import PIN_TRIES
from otppi.testing.replay import Replay, a_message, opened
from otppi.testing.scripted import until

_REFERENCE = 41
"""TP-MR that every capture answers."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What a captured modem was asked, and what it told of itself."""

    identity: ModemIdentity
    asked: tuple[str, ...]


def sends_by_capture(modem_type: ModemType, capture: Path, boot_folder: Path) -> Dialogue:
    """Send a message by a captured modem, which the type has to recognise as its own."""
    message = a_message()
    with Replay(capture) as replay, opened(modem_type, replay.path, boot_folder) as modem:
        modem.send(message)
        dialogue = Dialogue(modem.identity(), tuple(replay.asked))
        assert len(replay.payloads) == 1
    assert message.progress.references == [_REFERENCE]
    assert modem_type.recognises is not None
    assert modem_type.recognises(dialogue.identity)
    return dialogue


def is_made_ready_after_a_restart(modem_type: ModemType, capture: Path, boot_folder: Path) -> None:
    """A modem on a UART keeps its port while it restarts, and has forgotten all that was set: it is opened anew."""
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
    """The rules name each vendor whose every device is this type's, and no other."""
    text = rules.read_text()
    vendors = {match.vendor_id for match in matches}
    named = {vendor for vendor in vendors if f'"{vendor}"' in text}
    assert named == {match.vendor_id for match in matches if not match.product_id}
