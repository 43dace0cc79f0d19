"""What a plugin may import, for every plugin there is: a new folder below `plugins/` is held to it unnamed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SEEN_BY_PLUGINS = {"api", "kit", "text", "web", "wire"}
SHIPS_THE_SIMULATOR = {"otppi_modem_simulated"}
Contract = Mapping[str, str | list[str]]


def sources(plugins: Path) -> dict[str, Path]:
    """Return the folder of each plugin's package by the package's name.

    Raises:
        AssertionError: A folder has no package of its own name, which no contract would see.
    """
    folders = sorted(folder for folder in plugins.iterdir() if (folder / "pyproject.toml").exists())
    found = {folder.name.replace("-", "_"): folder / "src" for folder in folders}
    for package, source in found.items():
        assert [one.name for one in source.iterdir() if one.is_dir() and one.name != "__pycache__"] == [package]
    return found


def floors() -> set[str]:
    """Return the names of what is right below `otppi`."""
    below = (ROOT / "otppi-core/src/otppi").iterdir()
    return {
        one.stem for one in below if not one.name.startswith("__") and (one.suffix == ".py" or any(one.glob("*.py")))
    }


def contracts(packages: Iterable[str]) -> list[Contract]:
    """Return the contracts of all plugins, as import-linter reads them."""
    plugins = sorted(packages)
    unseen = floors() - SEEN_BY_PLUGINS - {"simulator"}
    return [
        {
            "name": "A plugin sees only api, kit, text, web and wire",
            "type": "forbidden",
            "source_modules": plugins,
            "forbidden_modules": sorted(f"otppi.{floor}" for floor in unseen),
        },
        {
            "name": "Only the simulated modem ships the simulator",
            "type": "forbidden",
            "source_modules": sorted(set(plugins) - SHIPS_THE_SIMULATOR),
            "forbidden_modules": ["otppi.simulator"],
        },
        {
            "name": "The core knows no plugin by name",
            "type": "forbidden",
            "source_modules": ["otppi"],
            "forbidden_modules": plugins,
        },
        {"name": "Plugins do not know each other", "type": "independence", "modules": plugins},
    ]


def lint(folder: Path, packages: Mapping[str, Path]) -> subprocess.CompletedProcess[str]:
    """Run import-linter with these contracts."""
    lines = ["[tool.importlinter]", f"root_packages = {json.dumps(['otppi', *sorted(packages)])}"]
    for contract in contracts(packages):
        lines += [
            "[[tool.importlinter.contracts]]",
            *(f"{key} = {json.dumps(value)}" for key, value in contract.items()),
        ]
    config = folder / "contracts.toml"
    config.write_text("\n".join(lines))
    program = (
        "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(sys.argv[1], no_cache=True))"
    )
    path = os.pathsep.join(str(source) for source in packages.values())
    return subprocess.run(
        [sys.executable, "-c", program, str(config)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_plugin_keeps_the_contracts(tmp_path: Path) -> None:
    linted = lint(tmp_path, sources(ROOT / "plugins"))
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize(
    ("module", "broken"),
    [
        ("otppi.host.host", "A plugin sees only api, kit, text, web and wire"),
        ("otppi.cli", "A plugin sees only api, kit, text, web and wire"),
        ("otppi.testing.scripted", "A plugin sees only api, kit, text, web and wire"),
        ("otppi.simulator", "Only the simulated modem ships the simulator"),
        ("otppi_modem_at.plugin", "Plugins do not know each other"),
        ("otppi.kit.at.modem", None),
    ],
)
def test_a_plugin_that_nobody_has_named_is_held_to_them(tmp_path: Path, module: str, broken: str | None) -> None:
    package = tmp_path / "plugins/otppi-modem-new/src/otppi_modem_new"
    package.mkdir(parents=True)
    (tmp_path / "plugins/otppi-modem-new/pyproject.toml").touch()
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text(f"import {module}\n")
    linted = lint(tmp_path, sources(ROOT / "plugins") | sources(tmp_path / "plugins"))
    kept = [line for line in linted.stdout.splitlines() if line.endswith(("KEPT", "BROKEN"))]
    assert [line for line in kept if line.endswith("BROKEN")] == ([f"{broken} BROKEN"] if broken else [])
    assert len(kept) == len(contracts(["otppi_modem_new"]))


def test_the_tools_name_no_plugin() -> None:
    """A new plugin needs no line in them."""
    named = [name for name in sources(ROOT / "plugins") if name in (ROOT / "pyproject.toml").read_text()]
    assert named == []
    assert not any(
        name.replace("_", "-") in (ROOT / "pyproject.toml").read_text() for name in sources(ROOT / "plugins")
    )
