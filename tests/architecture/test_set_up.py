"""What `./build.sh setup` brings is what use needs."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def locked(name: str) -> set[str]:
    """Return the packages that a lock file pins."""
    return set(re.findall(r"^([a-z0-9-]+)==", (ROOT / name).read_text(), re.MULTILINE))


def group(name: str) -> set[str]:
    """Return the packages that a dependency group of the workspace names itself."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"][name]
    return {re.split(r"[<>=\[ ]", one)[0].replace(".", "-").replace("_", "-") for one in wanted if isinstance(one, str)}


def test_what_use_needs_brings_no_tool_of_developers() -> None:
    assert group("runtime") <= locked("requirements.lock")
    assert not locked("requirements.lock") & group("dev")


def test_modemmanager_takes_one_package_more() -> None:
    assert locked("requirements-modemmanager.lock") == {"dbus-python"}
    assert locked("requirements-dev.lock") >= locked("requirements.lock") | locked("requirements-modemmanager.lock")


def versions(name: str) -> set[str]:
    """Return the packages that a lock file pins, with their versions."""
    return set(re.findall(r"^([a-z0-9-]+==\S+)", (ROOT / name).read_text(), re.MULTILINE))


def test_card_images_are_made_with_what_the_gateway_runs_with() -> None:
    assert versions("requirements.lock") < versions("requirements-image.lock") < versions("requirements-dev.lock")
    assert group("image") <= locked("requirements-image.lock")


def test_lock_files_name_no_address_to_download_from() -> None:
    locks = list(ROOT.glob("requirements*.lock"))
    assert len(locks) == 5
    assert [one.name for one in locks if "://" in one.read_text()] == []


def test_nothing_hangs_up_on_a_program_that_is_still_writing() -> None:
    """With `pipefail` the whole script ends where a program is cut off: it did in every second `./build.sh run`."""
    script = (ROOT / "build.sh").read_text("utf-8")
    assert "set -euo pipefail" in script
    assert not re.findall(r"\|\s*(?:head|grep -q|sed \S*q)\b.*", script)
