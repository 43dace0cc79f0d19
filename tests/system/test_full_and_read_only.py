"""A RAM disk that is full, and a card that is full or takes nothing at all (issue 9, row 27)."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from otppi.testing import mounts
from otppi.testing.modem import ModemProfile, ModemRack
from tests.system.conftest import Gateway, eventually, modem

Start = Callable[..., Gateway]
Mount = Callable[[AbstractContextManager[Path]], Path]


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mount something until the end of the test; skip it where nothing may be mounted."""
    with ExitStack() as stack:

        def enter(mounting: AbstractContextManager[Path]) -> Path:
            try:
                return stack.enter_context(mounting)
            except mounts.NoMounts as error:
                pytest.skip(f"nothing can be mounted here: {error}")

        yield enter


def test_a_full_ram_disk_and_a_kill(start: Start, mount: Mount) -> None:
    """One SMS went out twice, and messages that had been told as `sent` were told as failed."""
    with ModemRack(profile=ModemProfile(report_delay=None)) as rack:
        gateway = start([modem(rack.paths[0])])
        gateway.stop()
        mount(mounts.ram_disk(gateway.runtime, 1024 * 1024))
        gateway.start().until_ready()
        with gateway.client() as client:
            filler = mounts.fill(gateway.runtime)
            told = [client.send(number, "08121111111", f"text {number}")[1]["data"] for number in range(5)]
            assert {one["state"] for one in told} == {"sent"}
            eventually(lambda: any("is full" in one for one in client.request("GET", "/api/health")[1]["warnings"]))
            rack.modems[0].inject("result-lost-sent", at=1)
            flying = client.send("flying", "08121111111", "in the air", "?wait=0")[1]["data"]["message_id"]
            rack.network.wait_for(6)
            waiting = client.send("waiting", "08121111111", "waits", "?wait=0")[1]["data"]["message_id"]
        gateway.kill()
        gateway.start().until_ready()
        with gateway.client() as client:
            for one in told:
                assert client.message(one["message_id"])["state"] == "sent"
            assert client.message(flying)["state"] == "unconfirmed"
            eventually(lambda: client.message(waiting)["state"] not in ("queued", "sending"))
            assert client.send("after", "08121111111", "goes on")[1]["data"]["state"] == "sent"
            became = client.message(waiting)["state"]
        texts = [message.text for message in rack.network.messages]
        assert len(texts) == len(set(texts)), "nothing went out twice"
        assert ("waits" in texts) is (became == "sent")
        filler.unlink()
