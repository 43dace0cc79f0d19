"""What documents name is there: files, modules, classes and functions, documents in the index."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.documents import DOCUMENTS, ROOT, SOURCE, name_of, without_blocks

ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()
INDEX = (ROOT / "docs/README.md").read_text()
TESTED = [ROOT / "docs/architecture.md", *(one for one in DOCUMENTS if one.parent.parent.name == "plugins")]
FLOORS = "cli|testing|host|simulator|web|kit|api|wire|text"
GONE = {"otppi.testing.modem", "otppi.wire.msisdn.normalise"}
"""What docs/plugins.md tells authors that it is no more."""
OF_OTHERS = {"stomp.py"}
"""Libraries that are called like a file."""
MOVED = "### Imports that moved"
"""The table below names modules that are no more."""


def sources_of(document: Path) -> list[Path]:
    """Return where the files are that a document names: its plugin's, the core's, and those of rooms by their names."""
    floors = [SOURCE / floor for floor in ("host", "kit", "simulator")]
    return [*document.parent.glob("src/*"), document.parent, SOURCE, ROOT / "otppi-core", ROOT, *floors]


def found(document: Path, file: str) -> bool:
    """Whether a file or folder is there; one without a folder may be that of any room, such as `settings.py`."""
    of_rooms = "/" not in file and document.parent.name == "docs" and any(SOURCE.glob(f"host/*/{file}"))
    return of_rooms or any((one / file).exists() for one in sources_of(document))


@pytest.mark.parametrize("document", TESTED, ids=name_of)
def test_files_that_are_named_are_there(document: Path) -> None:
    text = without_blocks(document.read_text())
    named = set(re.findall(r"`((?!DATA/)\w[\w/.-]*(?:\.py|\.toml|/))`", text)) - OF_OTHERS
    assert sorted(one for one in named if not found(document, one)) == []


@pytest.mark.parametrize("document", TESTED, ids=name_of)
def test_what_is_named_beside_a_file_is_in_it(document: Path) -> None:
    beside = re.findall(r"((?:`[\w.]+`(?:, | and | )?)+)\s*(?:\(|in )`([\w/-]+\.py)`", document.read_text())
    for names, file in beside:
        (path,) = [one / file for one in sources_of(document) if (one / file).exists()]
        for name in re.findall(r"`(?:\w+\.)?(\w+)`", names):
            assert re.search(rf"^ *(?:class|def) {name}\b|^{name}\b", path.read_text(), re.MULTILINE), (
                f"{name} in {file}"
            )


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_modules_that_are_named_are_there(document: Path) -> None:
    text = document.read_text().split(MOVED)[0]
    gone = [one for one in re.findall(rf"\botppi\.(?:{FLOORS})(?:\.\w+)*", text) if not is_there(one)]
    assert sorted(set(gone) - GONE) == []


def test_the_kit_has_what_authors_are_offered() -> None:
    table = (ROOT / "docs/plugins.md").read_text().split("| of `otppi.kit` | does |")[1].split("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| ")]
    offered = [one for cell in cells for one in re.findall(r"`([a-z_.]+\.\w+)`", cell)]
    assert len(offered) > 10
    assert [one for one in offered if not is_there(f"otppi.kit.{one}")] == []


def is_there(dotted: str) -> bool:
    """Whether a dotted name is a module, or something that a module defines."""
    module, _, name = dotted.rpartition(".")
    for one, attribute in ((dotted, ""), (module, name), (module.rpartition(".")[0], module.rpartition(".")[2])):
        try:
            spec = importlib.util.find_spec(one)
        except ModuleNotFoundError:
            continue
        if spec is not None and spec.origin is not None:
            return not attribute or re.search(rf"\b{attribute}\b", Path(spec.origin).read_text()) is not None
    return False


WHERE_IS_WHAT = ARCHITECTURE.split("## Where is what")[1].split("\n## ")[0]


@pytest.mark.parametrize(
    "what", ["a USSD time-out", "a broker's message", "a quota", "a masked receiver", "an atomic write"]
)
def test_a_stranger_is_led_to_a_file(what: str) -> None:
    (row,) = [line for line in WHERE_IS_WHAT.splitlines() if line.startswith("|") and what in line]
    assert re.search(r"`[\w/]+\.py`", row.split("|")[2])


def layers_of(**contract: object) -> list[list[str]]:
    """Return the layers of an import contract, from the top down, each with its members."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [one["layers"] for one in contracts if one["type"] == "layers" and contract.items() <= one.items()]
    return [sorted(layer.split(" | ")) for layer in layers]


def table_of(head: str, name: str) -> list[list[str]]:
    """Return the names in the first cell of each row of one of the map's tables."""
    rows = ARCHITECTURE.split(f"{head}\n|---|---|\n")[1].split("\n\n")[0].splitlines()
    return [sorted(re.findall(name, row.split("|")[1])) for row in rows]


def test_the_map_has_the_rooms_of_the_contract() -> None:
    composition, *rooms = table_of("| room | what it owns |", r"`(?:host/)?(\w+)(?:/|\.py)`")
    layers = layers_of(containers=["otppi.host"])
    folders = [layer for layer in layers if (SOURCE / "host" / layer[0]).is_dir()]
    assert composition == sorted(name for layer in layers if layer not in folders for name in layer)
    assert rooms == folders


def test_the_map_has_the_floors_of_the_contract() -> None:
    floors = [one for row in table_of("| floor | what it owns |", r"`(otppi\.\w+)`") for one in row]
    assert floors == [
        one for layer in layers_of(name="Each floor imports only from the floors below it") for one in layer
    ]


@pytest.mark.parametrize("document", DOCUMENTS[1:], ids=name_of)
def test_every_document_is_in_the_index(document: Path) -> None:
    targets = {(ROOT / "docs" / one).resolve() for one in re.findall(r"\]\(([^)#]+)", INDEX)}
    assert document.resolve() in targets | {
        (ROOT / "docs/README.md").resolve(),
        (ROOT / "otppi-core/README.md").resolve(),
    }


def test_documents_that_programs_name_are_there() -> None:
    programs = [
        ROOT / "build.sh",
        *SOURCE.glob("**/*.py"),
        *ROOT.glob("plugins/*/src/**/*.py"),
        *ROOT.glob("plugins/*/udev/*"),
    ]
    named = {one for program in programs for one in re.findall(r"docs/[\w/-]+\.md", program.read_text())}
    assert len(named) > 3
    assert sorted(one for one in named if not (ROOT / one).exists()) == []


def test_what_the_source_names_is_there() -> None:
    """Docstrings and comments of the core and the plugins: files by their path, modules and names with dots."""
    texts = [one.read_text() for one in (*SOURCE.glob("**/*.py"), *ROOT.glob("plugins/*/src/**/*.py"))]
    files = {one for text in texts for one in re.findall(rf"`((?:{FLOORS})/[\w/]+\.py)`", text)}
    names = {one for text in texts for one in re.findall(rf"`(?:otppi\.)?((?:{FLOORS})(?:\.\w+)+)(?:\(\))?`", text)}
    assert len(files) > 20
    assert len(names) > 20
    assert sorted(one for one in files if not (SOURCE / one).exists()) == []
    assert sorted(one for one in names if not is_there(f"otppi.{one}")) == []


ROOMS = [one.parent for one in sorted([*SOURCE.glob("host/*/__init__.py"), *SOURCE.glob("kit/*/__init__.py")])]


@pytest.mark.parametrize("room", ROOMS, ids=lambda one: str(one.relative_to(SOURCE)))
def test_a_room_says_what_is_not_in_it(room: Path) -> None:
    said = (room / "__init__.py").read_text()
    assert "\n\nNot here: " in said
    named = re.findall(r"`([\w/]+(?:\.py|/))`", said.split("\n\nNot here: ")[1])
    assert any("/" in one for one in named)
    assert [one for one in named if not found(ROOT / "docs/architecture.md", one)] == []


def test_the_tests_are_in_folders_like_the_source() -> None:
    tests = ROOT / "otppi-core/tests"
    folders = {one.parent.relative_to(tests) for one in tests.glob("**/test_*.py")}
    assert len(folders) > 20
    assert sorted(str(one) for one in folders if not (SOURCE / one).is_dir()) == []
