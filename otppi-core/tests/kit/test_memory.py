"""Memory that was freed, in a process of its own: what others keep would be counted, too."""

import platform
import subprocess
import sys

import pytest

from otppi.testing.waiting import PATIENCE

_SCRIPT = """
from pathlib import Path
from otppi.kit.memory import give_back, keep_little

def kilobytes():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))

keep_little()
before = kilobytes()
for _ in range(2):  # by itself glibc keeps the second one, as it has seen the first
    large = b"x" * (19 << 20)
    del large
print(kilobytes() - before < 2_000)
blocks = [b"%d" % number * 500 for number in range(10_000)]
pinned = b"%d" % len(blocks) * 400  # above them: by itself glibc gives back only what lies at the end
del blocks
freed = kilobytes()
give_back()
print(freed - before > 15_000, kilobytes() - before < 2_000, len(pinned))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc")
def test_what_was_freed_goes_back() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, timeout=PATIENCE, check=True)

    assert done.stdout.splitlines() == ["True", "True True 2000"]
