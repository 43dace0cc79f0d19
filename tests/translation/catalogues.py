"""Finds the texts of each distribution in its source, and its catalogues beside it."""

import ast
import io
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[2]
LANGUAGES = ("id",)
"""Beside English, which is what the source says."""

_OPTIONS = {"encoding": "utf-8", "silent": "false"}
_KEYWORDS = {"_": None, "plural": (1, 2), "in_context": ((1, "c"), 2)}


@dataclass(frozen=True, slots=True)
class Package:
    """A Python package that has texts.

    Attributes:
        name: Its import name, which is the domain of its catalogues.
        folder: Where its source is.
    """

    name: str
    folder: Path

    def sources(self) -> Iterator[Path]:
        """Return the modules that may hold texts."""
        return iter(sorted(self.folder.rglob("*.py")))

    def templates(self) -> Iterator[Path]:
        """Return the templates of pages, in which texts are written as in modules."""
        return iter(sorted(self.folder.rglob("templates/*.html")))

    def template(self) -> Catalog:
        """Collect the texts of the source."""
        catalog = Catalog(domain=self.name, project="OTP-Pi", charset="utf-8")
        for method, paths in (("python", self.sources()), ("jinja2.ext:babel_extract", self.templates())):
            for path in paths:
                with path.open("rb") as file:
                    for line, message, _comments, context in extract(
                        method, file, keywords=_KEYWORDS, options=_OPTIONS
                    ):
                        catalog.add(message, locations=[(str(path.relative_to(self.folder)), line)], context=context)
        return catalog

    def path(self, language: str) -> Path:
        """Return where the catalogue of a language is."""
        return self.folder / "locale" / language / "LC_MESSAGES" / f"{self.name}.po"

    def catalogue(self, language: str) -> Catalog:
        """Read the catalogue of a language; an empty one where there is none."""
        path = self.path(language)
        if not path.is_file():
            return Catalog(locale=language, domain=self.name, project="OTP-Pi", charset="utf-8", fuzzy=False)
        with path.open("rb") as file:
            return read_po(file, locale=language, domain=self.name)

    def updated(self, language: str) -> bytes:
        """Write the catalogue of a language as it is to be: every text of the source, and no other."""
        catalogue = self.catalogue(language)
        catalogue.update(self.template(), no_fuzzy_matching=True, update_creation_date=False)
        catalogue.obsolete.clear()
        catalogue.fuzzy = False
        written = io.BytesIO()
        write_po(
            written,
            catalogue,
            width=120,
            include_lineno=False,
            omit_header=True,
            ignore_obsolete=True,
            sort_output=True,
        )
        return _header(language, catalogue).encode() + written.getvalue().rstrip(b"\n") + b"\n"


def _header(language: str, catalogue: Catalog) -> str:
    return (
        'msgid ""\nmsgstr ""\n'
        f'"Language: {language}\\n"\n'
        '"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: {catalogue.plural_forms}\\n"\n\n'
    )


def packages() -> list[Package]:
    """Return the packages of this repository."""
    folders = [ROOT / "otppi-core/src/otppi", *sorted(ROOT.glob("plugins/*/src/otppi_*"))]
    return [*(Package(folder.name, folder) for folder in folders), Package("image.card", ROOT / "image/card")]


def fields(template: str) -> set[str]:
    """Return the names of the arguments in a template.

    Raises:
        ValueError: It is not one that `str.format` takes.
    """
    return {name for _literal, name, _spec, _conversion in string.Formatter().parse(template) if name is not None}


@dataclass(frozen=True, slots=True)
class Call:
    """A place in the source where a text is made.

    Attributes:
        place: File and line.
        templates: What it gives as templates, None in place of what is no literal.
        arguments: The names of its arguments.
        contexts: What tells its words from the same ones elsewhere, None in place of what is no literal.
    """

    place: str
    templates: tuple[str | None, ...]
    arguments: frozenset[str]
    contexts: tuple[str | None, ...] = ()


def calls(package: Package) -> Iterator[Call]:
    """Return the places of a package where a text is made by `_(…)`, `_.plural(…)` or `_.in_context(…)`."""
    for path in package.sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _is_marker(node.func):
                given = tuple(
                    one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else None
                    for one in node.args
                )
                contexts = int(isinstance(node.func, ast.Attribute) and node.func.attr == "in_context")
                yield Call(
                    f"{path.relative_to(ROOT)}:{node.lineno}",
                    given[contexts:],
                    frozenset(keyword.arg or "**" for keyword in node.keywords),
                    given[:contexts],
                )


def _is_marker(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute) and function.attr in ("plural", "in_context"):
        function = function.value
    return isinstance(function, ast.Name) and function.id == "_"
