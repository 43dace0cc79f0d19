"""A device without a computer of its own: its files on a card that is mounted here, and its gateway on this computer.

What it writes is recorded as the virtual machine's is, in a thousandth of the time: the card is a file that QEMU's
storage daemon shows by FUSE through its filter `blklogwrites`, and Linux mounts that by a loop device. So file system,
journal, writes and flushes are real; what is not there are systemd, NetworkManager, and the boot partition, for which a
RAM disk stands: not every kernel knows FAT.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from otppi.api.errors import OtpPiError
from otppi.host.identity.first_boot import DeviceFiles, first_boot, restore_network
from otppi.host.identity.identity import FILE_NAME
from otppi.kit.files import as_json, replace_whole
from otppi.simulator import ModemRack
from otppi.simulator.network import SimulatedNetwork
from otppi.testing.ports import free_port
from otppi.testing.waiting import PATIENCE, until
from tests.image.machine.application import PASSWORD, USERNAME, get
from tests.image.powercut.file_system import ENVIRONMENT, read_of_fat
from tests.image.powercut.recording import Recording
from tests.image.powercut.workload import MODEM, PROFILE
from tests.image.powercut.write_log import Partition, copy_data, partition

USER: Final = {"username": USERNAME, "password": PASSWORD}


class NotHereError(OtpPiError):
    """This computer, or this container, mounts nothing, or has no FUSE."""


@contextmanager
def recorded(image: Path, part: Partition, write_log: Path, folder: Path) -> Iterator[Path]:
    """Mount the root partition of an image, of which nothing is changed; what is written to it is recorded.

    Args:
        image: The whole card.
        part: The partition.
        write_log: Where it is recorded.
        folder: For what is made.

    Raises:
        NotHereError: That is not possible here.
    """
    if os.geteuid() or not Path("/dev/fuse").exists() or not shutil.which("qemu-storage-daemon"):
        raise NotHereError("it takes root, /dev/fuse and qemu-storage-daemon")
    card, shown, root = folder / "card.img", folder / "shown", folder / "root"
    shutil.copyfile(image, card)
    for one in (write_log, shown):
        one.touch()
    root.mkdir()
    with ExitStack() as stack:
        stack.enter_context(_shown(card, write_log, shown))
        try:
            # Without --direct-io: what is written by 4 KiB here may be torn there, too.
            where = ["--offset", str(part.start), "--sizelimit", str(part.size)]
            loop = _run("losetup", "--find", "--show", *where, shown).strip()
            stack.callback(_run, "losetup", "--detach", loop)
            _run("mount", "-o", "noatime", loop, root)
        except subprocess.CalledProcessError as error:
            raise NotHereError(error.stderr) from error
        stack.callback(_run, "umount", root)
        boot = root / "boot/firmware"
        boot.mkdir(parents=True, exist_ok=True)
        _run("mount", "-t", "tmpfs", "tmpfs", boot)
        stack.callback(_run, "umount", boot)
        yield root


@contextmanager
def _shown(card: Path, write_log: Path, shown: Path) -> Iterator[None]:
    log = f"log.driver=file,log.filename={write_log},log.cache.no-flush=on"
    command: list[str | Path] = [
        "qemu-storage-daemon",
        *("--blockdev", f"driver=file,node-name=card,filename={card},cache.no-flush=on"),
        *("--blockdev", f"driver=blklogwrites,node-name=recorder,file=card,{log}"),
        *("--export", f"type=fuse,id=shown,node-name=recorder,mountpoint={shown},writable=on"),
    ]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        until(lambda: process.poll() is not None or os.path.ismount(shown), "the card is shown")
        if process.poll() is not None:
            raise NotHereError(process.communicate()[0].decode())
        yield
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def _run(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout


class LocalDevice:
    """A device whose card is mounted; a context, in which its gateway runs.

    Args:
        root: Where the card is mounted.
        folder: For what is made.
        variables: More of the gateway's environment.
    """

    def __init__(self, root: Path, folder: Path, variables: Mapping[str, str] = MappingProxyType({})) -> None:
        self._files = DeviceFiles(root, None)
        self._folder = folder
        self._variables = variables
        self.ports = {8888: free_port(), 8899: free_port()}
        self._runtime = Path(tempfile.mkdtemp(prefix="otppi-run-", dir="/dev/shm"))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Boot: the first boot, where there was none, and the gateway, until it answers."""
        first_boot(self._files)
        self._start()

    def _start(self) -> None:
        settings = self._folder / "first-settings.json"
        settings.write_bytes(as_json(self._settings()))
        given = [part for one in (settings, self._files.data / settings.name) for part in ("--first-settings", one)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "otppi", "--data", self._files.data, "run", *given],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment(),
            )  # fmt: skip
        until(self._answers, lambda: (self._folder / "log").read_text()[-2000:])

    def _settings(self) -> dict[str, Any]:
        return {
            "administration": {"port": self.ports[8888]},
            "ingress-rest": {"http_port": self.ports[8899], "https_enable": False},
        }

    def _environment(self) -> dict[str, str]:
        return os.environ | {"RUNTIME_DIRECTORY": str(self._runtime)} | dict(self._variables)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            return get(self, 8899, "/api/health")[0] in (200, 401, 503)
        except OSError:
            return False

    def stop(self) -> None:
        """Stop the gateway."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(PATIENCE)
            self._process = None
        shutil.rmtree(self._runtime)

    def change_network(self, ssid: str) -> bool:
        """Change nothing."""
        return False

    def crash(self) -> None:
        """Kill the gateway, and start it again."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE)
        self._start()

    def otppi(self, *arguments: str, given: str = "") -> str:
        """Run the product's command line."""
        done = subprocess.run(
            [sys.executable, "-m", "otppi", "--data", self._files.data, *arguments],
            input=given, capture_output=True, text=True, timeout=PATIENCE, env=self._environment(),
        )  # fmt: skip
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def modem_in_use(self, network: SimulatedNetwork) -> Iterator[None]:
        """Have the gateway use a simulated modem."""
        with ModemRack(profile=PROFILE, network=network) as rack:
            document = self._folder / "modems.json"
            modem = {"name": MODEM, "port": str(rack.paths[0]), "default_modem": True}
            document.write_bytes(as_json({"modems": [modem]}))
            self.otppi("settings", "import", str(document))
            yield

    def reset_network(self) -> None:
        """Bring the access point back to what the brochure says."""
        replace_whole(self._files.changed[0], b"[connection]\nid=otppi-ethernet\n")  # somebody has changed it
        restore_network(self._files)


def _document(image: Path, folder: Path) -> bytes:
    """Return what a card's boot partition says of who the device is."""
    fat, part = folder / "fat", partition(image, 1)
    with fat.open("wb") as file:
        file.truncate(part.size)
    copy_data(image, part, fat, 0)
    document = read_of_fat(fat, FILE_NAME)
    assert document, "the card is nobody's: it has to be personalised"
    return document


def record(
    recording: Recording,
    folder: Path,
    use: Callable[[LocalDevice], object],
    variables: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Boot a device for the first time from a recording's card, and use it.

    Args:
        recording: What it is recorded to.
        folder: For what is made.
        use: Is given the device.
        variables: More of the gateway's environment.
    """
    document = _document(recording.image, folder)
    with (
        recorded(recording.image, partition(recording.image, 2), recording.log("all"), folder) as root,
        recording.going_on(),
    ):
        (root / "boot/firmware" / FILE_NAME).write_bytes(document)
        device = LocalDevice(root, folder, variables)
        try:
            device.start()
            recording.done("first boot", True)
            use(device)
        finally:
            device.stop()
