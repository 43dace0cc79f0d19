"""The product's own tests, run by the image's Python on what the image has of the product."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.image.builds import TOP
from tests.image.twin.twin import Twin

FOLDERS = (
    "wire",
    "api",
    "text",
    "web",
    "host/settings",
    "host/storage",
    "host/records",
    "host/durable",
    "host/messages",
)
"""Of `otppi-core/tests`: what costs three minutes at most, but for comparisons with other implementations. All
others are run on that Python before a release."""
TOOLS = (
    "execnet", "hypothesis", "iniconfig", "jsonschema-rs", "packaging", "pygments", "pytest", "pytest-timeout",
    "pytest-xdist", "sortedcontainers",
)  # fmt: skip


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the tests need beside the product, as the lock file says, for the image's Python."""
    folder = tmp_path_factory.mktemp("tools")
    blocks = re.split(r"\n(?=\S)", (TOP / "requirements-dev.lock").read_text())
    wanted = [block for block in blocks if re.match(r"[a-z0-9-]+", block)[0] in TOOLS]  # type: ignore[index]
    assert len(wanted) == len(TOOLS)
    (folder / "wanted").write_text("\n".join(wanted))
    command = [
        f"{sys.prefix}/bin/uv", "pip", "install", "--quiet", "--python", sys.executable, "--python-version", "3.13",
        "--python-platform", "x86_64-manylinux_2_36", "--only-binary", ":all:", "--no-deps", "--link-mode", "copy",
        "--target", str(folder / "site"), "--require-hashes", "--requirements", str(folder / "wanted"),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return folder / "site"


def test_the_products_tests_pass_on_the_images_python(new_twin: Twin, tools: Path) -> None:
    command = [
        *new_twin.entering, "systemd-nspawn", "--quiet", f"--directory={new_twin.path}", "--as-pid2",
        "--keep-unit", "--register=no", "--private-network", "--console=pipe", f"--machine=otppi-python-{os.getpid()}",
        f"--bind-ro={TOP}:/src", f"--bind-ro={tools}:/tools", "--chdir=/src", "--setenv=PYTHONPATH=/tools",
        "--setenv=LANG=C.UTF-8", "--setenv=HYPOTHESIS_STORAGE_DIRECTORY=/var/tmp/hypothesis",
        "/opt/otppi/bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--numprocesses", "2", "--dist",
        "loadfile", "--ignore-glob=*/test_oracle_*.py", *(f"otppi-core/tests/{one}" for one in FOLDERS),
    ]  # fmt: skip
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 1000
