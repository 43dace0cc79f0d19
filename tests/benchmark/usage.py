"""What a process uses, read from /proc: CPU time, memory, bytes written to disks."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

_SCHED = 2
"""Of the kernel's clocks of a process the one that counts nanoseconds (CPUCLOCK_SCHED)."""
_MEGABYTE = 1024


def cpu_seconds(pid: int) -> float:
    """Return the user and system time of all its threads, also of those that have ended (clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | _SCHED)


def bytes_written(pid: int) -> int:
    """Return the bytes that it caused to be written to a disk, whole pages (proc(5), io)."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory in MB (2**20 bytes).

    `pss` counts pages that n processes share for one n-th. `alone` is what it would be were this the only Python
    program of the machine, as on a device: pages of the interpreter and its extensions count in full. A benchmark runs
    more Python programs beside it, which would flatter the PSS.
    """

    pss: float
    rss: float
    alone: float


def memory(pid: int) -> Memory:
    """Read the memory of a process (proc(5), smaps)."""
    pss = rss = alone = 0
    ours = False
    shared = 0
    interpreter = (sys.base_prefix, sys.prefix)
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        name, *fields = line.split(None, 5)
        if not name.endswith(":"):
            ours = len(fields) > 4 and fields[4].startswith(interpreter)
        elif name == "Rss:":
            shared = int(fields[0])
            rss += shared
        elif name == "Pss:":
            pss += int(fields[0])
            alone += shared if ours else int(fields[0])
    return Memory(pss / _MEGABYTE, rss / _MEGABYTE, alone / _MEGABYTE)


def bytes_in(folder: Path) -> int:
    """Sum up the sizes of all files under a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
