"""What the device writes to its card: in an hour in which nothing happens, and for each SMS. A card dies of writes."""

import json
import os
import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import pytest

from otppi.simulator.profile import ModemProfile
from otppi.testing.waiting import until
from tests.image.machine.application import ask, send
from tests.image.machine.conftest import KEPT
from tests.image.machine.machine import SLOW, Machine

_IDLE: Final = float(os.environ.get("OTPPI_IDLE_SECONDS", "660"))
"""Seconds in which nothing happens: a few of all that is done each minute."""
_IDLE_HOUR: Final = 2_000_000
"""Octets to the card in an hour in which nothing happens."""
_COUNT: Final = 200
_EACH: Final = 200
"""Octets by which the gateway's files grow for each SMS."""
_DATA: Final = "/var/lib/otppi"
_PROFILE: Final = ModemProfile(imei="350000000000010", operator="Telkomsel", operator_code="51010", network_time=0.05)
_LOOK: Final = """
import json, pathlib
def written(process):
    fields = dict(line.split(": ") for line in (process / "io").read_text().splitlines())
    return int(fields["write_bytes"]) - int(fields["cancelled_write_bytes"])
by = {}
for process in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        name, octets = (process / "comm").read_text().strip(), written(process)
    except (FileNotFoundError, ProcessLookupError):
        continue  # it has ended
    by[name] = by.get(name, 0) + octets
card = int(pathlib.Path("/sys/class/block/CARD/stat").read_text().split()[6]) * 512
files = {str(one): one.stat().st_size for one in pathlib.Path("/var/lib/otppi").rglob("*") if one.is_file()}
uptime = float(pathlib.Path("/proc/uptime").read_text().split()[0])
print(json.dumps({"uptime": uptime, "card": card, "by": by, "files": files}))
"""
"""Runs in the machine: octets to the card (Documentation/block/stat.rst: field 7, sectors of 512), those that each
program has had written (proc_pid_io(5), in whole pages), and how long the gateway's files are."""


_CHANGED: Final = (
    "findmnt --raw --noheadings --output TARGET --types ext4,vfat | xargs -I{} find {} -xdev -type f -newer /run/looked"
    " | sort -u"
)
_TIME_SERVER: Final = """
import socket, struct, time
line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
line.bind(("127.0.0.1", 123))
while True:
    asked, who = line.recvfrom(48)
    now = struct.pack("!II", int(time.time()) + 2208988800, int(time.time() % 1 * 2**32))
    line.sendto(struct.pack("!BBbbII4s", 0x24, 1, 6, -20, 0, 0, b"LOCL") + now + asked[40:48] + now + now, who)
"""
"""A server of the machine's own time (RFC 5905, figure 8): without an answer, systemd-timesyncd keeps no time."""


@dataclass(frozen=True, slots=True)
class _Written:
    """What has been written between two looks.

    Attributes:
        seconds: Between them.
        card: Octets that the card was given, the file system's own among them.
        by: Octets of whole pages, by the name of the program that has written into them.
        files: Octets by which the gateway's files have grown, by their paths.
        changed: The files of the card that were written.
    """

    seconds: float
    card: int
    by: dict[str, int]
    files: dict[str, int]
    changed: tuple[str, ...]


class _Card:
    """Looks at what is written to the card of a machine."""

    def __init__(self, device: Machine) -> None:
        self._device = device
        name = device.run("lsblk --noheadings --output PKNAME /dev/disk/by-label/bootfs").strip()
        self._look = _LOOK.replace("CARD", name)
        self._before = self._now()

    def _now(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self._device.run(f"sync && python3 -c {shlex.quote(self._look)}"))
        self._device.run("touch /run/looked")
        return told

    def written(self) -> _Written:
        """Return what was written since it was asked last."""
        changed = self._device.run(_CHANGED).split("\n")[:-1]
        before, self._before = self._before, self._now()
        differences = {
            key: {name: more for name, now in self._before[key].items() if (more := now - before[key].get(name, 0))}
            for key in ("by", "files")
        }
        seconds, card = (self._before[key] - before[key] for key in ("uptime", "card"))
        return _Written(seconds, card, **differences, changed=tuple(changed))


@pytest.fixture
def counter(device: Machine) -> Iterator[_Card]:
    """A device in use, with a modem, that has settled."""
    _tell_the_time(device)
    device.otppi("admin", "add", "owner", "--password-stdin", given="kursi hijau di teras")
    with device.modem(_PROFILE):
        look = f"setpriv --reuid=otppi --regid=otppi --init-groups otppi --data {_DATA} modem discover"
        device.until(f"{look} | grep '^new '", "the new modem is seen", SLOW)
        device.otppi("modem", "adopt", _PROFILE.imei, "--name", "m1", "--default")
        until(lambda: _is_ready(device), "the modem is ready", SLOW)
        device.until("! pgrep ext4lazyinit", "ext4 has made the rest of its tables", SLOW)
        yield _Card(device)


def _tell_the_time(device: Machine) -> None:
    """Have a server tell the time, as devices on a network have one."""
    folder = "/run/systemd/timesyncd.conf.d"
    device.run(f"setsid python3 -c {shlex.quote(_TIME_SERVER)} </dev/null >/dev/null 2>&1 &")
    device.run(f"mkdir -p {folder} && printf '[Time]\\nNTP=127.0.0.1\\n' >{folder}/test.conf")
    device.run("systemctl restart systemd-timesyncd")
    device.until("[ -e /run/systemd/timesync/synchronized ]", "a server has told the time", SLOW)


def _is_ready(device: Machine) -> bool:
    return ask(device, 8899, "GET", "/api/health")[0] == 200


def _tell(name: str, **numbers: object) -> None:
    """Keep the numbers where people find them."""
    (KEPT / f"{name}.json").write_text(json.dumps(numbers, indent=1))
    print(name, json.dumps(numbers, indent=1))


def test_hour_in_which_nothing_happens(device: Machine, counter: _Card) -> None:
    device.run(f"sleep {_IDLE}", _IDLE + SLOW)  # time has to pass: what is measured is what happens meanwhile
    written = counter.written()
    hour = round(written.card * 3600 / written.seconds)
    _tell("idle", card_an_hour=hour, **asdict(written))
    assert hour <= _IDLE_HOUR


def test_each_sms(device: Machine, counter: _Card) -> None:
    for number in range(_COUNT):
        assert send(device, number, "kode 1234", f"0812{number:08d}") in ("sent", "delivered")
    report = f'cat {_DATA}/report/*.jsonl | grep -o \'"m":"[0-9a-f]*"\' | sort -u | wc -l'
    device.until(f"[ $({report}) -ge {_COUNT} ]", "the report has all of them", SLOW)
    written = counter.written()
    each = sum(written.files.values()) / _COUNT
    _tell("sms", card_each=written.card / _COUNT, grown_each=each, **asdict(written))
    assert each <= _EACH
