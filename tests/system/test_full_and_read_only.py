"""A RAM disk that is full, and a card that is full or takes nothing at all (issue 9, row 27)."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from otppi.simulator import ModemProfile, ModemRack
from otppi.testing import mounts
from otppi.testing.waiting import PATIENCE, until
from tests.system.conftest import WENT_OUT, Gateway, modem

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
            until(lambda: any("is full" in one for one in client.request("GET", "/api/health")[1]["warnings"]))
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
            until(lambda: client.message(waiting)["state"] not in ("queued", "sending"))
            assert client.send("after", "08121111111", "goes on")[1]["data"]["state"] in WENT_OUT
            became = client.message(waiting)["state"]
        texts = [message.text for message in rack.network.messages]
        assert len(texts) == len(set(texts)), "nothing went out twice"
        assert ("waits" in texts) is (became == "sent")
        filler.unlink()


def read_only(card: Path, mount: Mount) -> None:
    mount(mounts.read_only(card))


def full(card: Path, mount: Mount) -> None:
    mounts.fill(card)


@pytest.mark.parametrize("spoil", [read_only, full])
@pytest.mark.parametrize("new", [True, False], ids=["new", "used before"])
def test_a_card_that_takes_nothing(
    tmp_path: Path, mount: Mount, start: Start, spoil: Callable[[Path, Mount], None], new: bool
) -> None:
    with ModemRack(profile=ModemProfile(report_delay=None)) as rack:
        gateway = start([modem(rack.paths[0])], rest={"https_enable": True, "https_port": 0})
        gateway.stop()
        card = gateway.data
        if new:
            card.rename(tmp_path / "old")
            card.mkdir()
        mount(mounts.ram_disk(card, 1024 * 1024))
        if not new:
            gateway.start().stop()
        spoil(card, mount)
        gateway.start().until_ready()
        with gateway.client() as client:
            sent = client.send(1, "08121111111", "goes out")
            assert sent[1]["data"]["state"] == "sent", sent
            warnings = client.request("GET", "/api/health")[1]["warnings"]
            assert any("cannot be kept" in warning for warning in warnings), warnings
            assert any("HTTPS is not served" in warning for warning in warnings) is new
        assert gateway.cli("status").returncode == 0
        assert gateway.cli("settings", "show").returncode == 0
        assert gateway.cli("settings", "set", "sms.attempts", "7").returncode == 1
        doctor = gateway.cli("doctor")
        said = "is read-only" if spoil is read_only else "0 MB are free"
        assert f"problem  free space: {card if spoil is read_only else ''}".rstrip() in doctor.stdout
        assert said in doctor.stdout
        assert gateway.stop() == 0
        for command in (("settings", "show"), ("block", "list", "--json")):
            done = gateway.cli(*command)
            assert (done.returncode, done.stderr) == (0, "")


def test_safe_mode_on_a_card_that_is_read_only(tmp_path: Path, mount: Mount) -> None:
    data, runtime = tmp_path / "data", tmp_path / "run"
    for folder in (data, runtime):
        folder.mkdir(mode=0o700)
    mount(mounts.read_only(data))
    environment = os.environ | {"RUNTIME_DIRECTORY": str(runtime)}
    command = [sys.executable, "-m", "otppi", "run", "--safe-mode", "--data", str(data)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("the gateway runs" in line for line in process.stderr)
        process.terminate()
        assert "Traceback" not in process.stderr.read()
        assert process.wait(PATIENCE) == 0
