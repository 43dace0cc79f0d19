"""What a gateway does that starts after a cut, on this computer: it sends nothing twice, and tells what was lost."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path

from otppi.simulator import ModemRack
from tests.system.conftest import Gateway


def faults_of_start(folder: Path, noted: Collection[str]) -> Iterator[str]:
    """Start a gateway with what a card holds, with a modem at its side, and look at what it does.

    Args:
        folder: `data` in it is a copy of the card's data folder.
        noted: The messages that it has to tell of.
    """
    with ModemRack() as rack:
        gateway = Gateway(folder, [{"name": "m1", "port": str(rack.paths[0]), "default_modem": True}])
        try:
            gateway.start().until_ready()
            told = json.loads(gateway.cli("--json", "report", "list", "--state", "lost", "--limit", "200").stdout)
        finally:
            gateway.close()
    if missing := set(noted) - {one["message_id"] for one in told["messages"]}:
        yield f"the start does not tell that {len(missing)} messages were lost"
    if again := rack.network.message_count:
        yield f"the start sends {again} messages of before"
