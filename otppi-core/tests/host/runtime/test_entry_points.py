"""Which plugins are installed, next to what importlib.metadata finds."""

import importlib.metadata
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from otppi.host.runtime.entry_points import installed

Install = Callable[..., str]


@pytest.fixture
def install(tmp_path: Path) -> Install:
    def put(
        name: str = "stock",
        values: str = "[otppi]\nstock = otppi_stock\n",
        *,
        site: str = "site",
        kind: str = ".dist-info",
    ) -> str:
        folder = tmp_path / site / f"{name.replace('-', '_')}-1.2{kind}"
        folder.mkdir(parents=True)
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n\nVersion: is no field of the text\n"
        (folder / ("METADATA" if kind == ".dist-info" else "PKG-INFO")).write_text(head)
        (folder / "entry_points.txt").write_text(values)
        return str(folder.parent)

    return put


def found(group: str, path: list[str] | None = None) -> list[tuple[str, str, str, str]]:
    return [(one.name, one.value, one.dist.name, one.dist.version) for one in installed(group, path)]


@pytest.mark.parametrize("group", ["otppi", "console_scripts", "pytest11", "none of that name"])
def test_it_finds_what_the_standard_library_finds(group: str) -> None:
    assert sorted(found(group)) == sorted(
        (one.name, one.value, one.dist.name, one.dist.version)
        for one in importlib.metadata.entry_points(group=group)
        if one.dist is not None
    )


@pytest.mark.parametrize("kind", [".dist-info", ".egg-info"])
def test_a_distribution_tells_its_name_and_version(install: Install, kind: str) -> None:
    assert found("otppi", [install("otppi-modem-stock", kind=kind)]) == [
        ("stock", "otppi_stock", "otppi-modem-stock", "1.2")
    ]


def test_other_groups_comments_and_blanks_are_read_over(install: Install) -> None:
    text = (
        "[console_scripts]\nno=a:b\n\n# c = d\n[ otppi ]\n; e = f\n two = x.y : z [extra] \none=w\n\n[other]\nno = g\n"
    )
    assert [(one.name, one.value) for one in installed("otppi", [install(values=text)])] == [
        ("one", "w"),
        ("two", "x.y : z [extra]"),
    ]


def test_of_two_distributions_of_one_name_the_first_on_the_path_counts(install: Install) -> None:
    path = [
        install("a-plugin", "[otppi]\none = first\n", site="first"),
        install("A_plugin", "[otppi]\ntwo = second\n", site="second"),
    ]
    assert [one.value for one in installed("otppi", path)] == ["first"]
    assert [one.value for one in installed("otppi", path[::-1])] == ["second"]


def test_what_cannot_be_read_has_no_plugins(install: Install, tmp_path: Path) -> None:
    site = Path(install())
    (site / "empty-1.dist-info").mkdir()
    (site / "file-1.dist-info").write_text("no folder")
    (tmp_path / "some.zip").write_bytes(b"PK")
    path = [str(tmp_path / "nowhere"), str(tmp_path / "some.zip"), str(site)]
    assert [one.name for one in installed("otppi", path)] == ["stock"]


def test_metadata_that_is_damaged_leaves_the_plugin_its_folder_s_name(install: Install) -> None:
    site = Path(install())
    (site / "stock-1.2.dist-info/METADATA").write_bytes(b"\xff\xfe")
    assert found("otppi", [str(site)]) == [("stock", "otppi_stock", "stock-1.2", "")]


def test_loading_gives_a_module_or_what_is_named_in_it(install: Install) -> None:
    named = "a = json\nb = json.decoder : JSONDecoder.decode [extra]\nc = json:nothing\nd = no_such_module_of_ours\n"
    module, attribute, nothing, missing = installed("otppi", [install(values=f"[otppi]\n{named}")])
    assert module.load().__name__ == "json"
    assert attribute.load().__qualname__ == "JSONDecoder.decode"
    with pytest.raises(AttributeError):
        nothing.load()
    with pytest.raises(ModuleNotFoundError):
        missing.load()


def test_a_gateway_does_not_load_what_an_idle_one_has_no_use_for() -> None:
    heavy = {"importlib.metadata", "email", "zipfile", "difflib", "asyncio", "http.client", "unittest"}
    of_pages = {"cherrypy", "jinja2", "otppi.api.blocks", "otppi.admin.blocks.guard"}
    code = "import sys; from otppi.cli import foreground; foreground.load_plugins(); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert (heavy | of_pages) & set(ran.stdout.split()) == set()
