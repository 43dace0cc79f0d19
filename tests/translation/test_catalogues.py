"""Every text that a person reads is in the catalogue of each language, with the same arguments, and nothing else is."""

import gettext
import io
import re
from itertools import zip_longest

import pytest

from otppi.text.po import compiled
from tests.translation.catalogues import LANGUAGES, Package, calls, fields, packages

_PERCENT = re.compile(r"%(?:\(\w+\))?[sdr]")


def _with_texts() -> list[Package]:
    return [package for package in packages() if any(calls(package))]


each_package = pytest.mark.parametrize("package", _with_texts(), ids=lambda package: package.name)
each_language = pytest.mark.parametrize("language", LANGUAGES)


def _forms(text: object) -> tuple[str, ...]:
    return tuple(map(str, text)) if isinstance(text, list | tuple) else (str(text),)


@each_package
def test_texts_are_literals_that_get_the_arguments_of_their_template(package: Package) -> None:
    wrong = []
    for call in calls(package):
        if None in (*call.templates, *call.contexts) or not call.templates:
            wrong.append(f"{call.place}: a template has to be a literal")
        elif call.arguments:
            *ones, last = [fields(template or "") for template in call.templates]
            if last != call.arguments or any(one | {"count"} != call.arguments for one in ones):
                wrong.append(f"{call.place}: {call.templates} with {set(call.arguments)}")
    assert not wrong, "\n".join(wrong)


@each_package
def test_the_translators_tool_finds_every_text(package: Package) -> None:
    """What stands within an f-string it does not see."""
    found = {one for message in package.template() if message.id for one in _forms(message.id)}
    assert {template for call in calls(package) for template in call.templates} <= found


@each_package
@each_language
def test_the_catalogue_is_complete(package: Package, language: str) -> None:
    source = {(message.context, message.id) for message in package.template() if message.id}
    catalogue = {(message.context, message.id): message for message in package.catalogue(language) if message.id}
    assert not source - catalogue.keys(), "missing: ./build.sh texts"
    assert not catalogue.keys() - source, "unused: ./build.sh texts"
    assert not [one.id for one in catalogue.values() if one.fuzzy]
    assert not [one.id for one in catalogue.values() if not all(_forms(one.string))]


@each_package
@each_language
def test_translations_take_the_arguments_of_their_template(package: Package, language: str) -> None:
    wrong = []
    with_arguments = {call.templates[0] for call in calls(package) if call.arguments or len(call.templates) > 1}
    for message in package.catalogue(language):
        if not message.id:
            continue
        first, last = _forms(message.id)[0], _forms(message.id)[-1]
        for form in _forms(message.string):
            if first in with_arguments and fields(form) != fields(last):
                wrong.append((first, form))
            if first not in with_arguments and sorted(_PERCENT.findall(form)) != sorted(_PERCENT.findall(first)):
                wrong.append((first, form))
            if (first[:1].isspace(), first[-1:].isspace()) != (form[:1].isspace(), form[-1:].isspace()):
                wrong.append((first, form))
    assert not wrong


_E_MAIL = {"en": re.compile(r"\b[Ee]mail"), "id": re.compile(r"\b[Ee]-mail")}
"""The spellings that no text has: English says e-mail, Indonesian email."""


@each_package
def test_e_mail_is_spelt_in_one_way(package: Package) -> None:
    entries = [message for message in package.catalogue("id") if message.id]
    texts = {"en": [_forms(one.id) for one in entries], "id": [_forms(one.string) for one in entries]}
    wrong = [
        form for language, all_of in texts.items() for one in all_of for form in one if _E_MAIL[language].search(form)
    ]
    # Names of commands and paths are what programs say.
    assert not [one for one in wrong if not re.search(r"send-e?mail|/api/email", one)]


@each_package
@each_language
def test_the_file_is_as_the_tool_writes_it(package: Package, language: str) -> None:
    known, wanted = (
        text.decode().split("\n\n") for text in (package.path(language).read_bytes(), package.updated(language))
    )
    assert _first_difference(known, wanted) is None, "./build.sh texts"


def _first_difference(known: list[str], wanted: list[str]) -> tuple[str, str] | None:
    """Find the first entry that differs: pytest takes minutes to compare two catalogues of 200 KB as a whole."""
    return next(((one, other) for one, other in zip_longest(known, wanted, fillvalue="") if one != other), None)


def test_one_entry_that_differs_is_told() -> None:
    assert _first_difference(["a", "b", "c"], ["a", "b", "c"]) is None
    assert _first_difference(["a", "b", "c"], ["a", "x", "b", "c"]) == ("b", "x")
    assert _first_difference(["a", "b"], ["a"]) == ("b", "")


@each_package
@each_language
def test_the_own_reader_reads_what_babel_reads(package: Package, language: str) -> None:
    """`otppi.text.po` reads at run time."""
    known = gettext.GNUTranslations(io.BytesIO(compiled(package.path(language).read_text(encoding="utf-8"))))
    for message in package.catalogue(language):
        if not message.id:
            continue
        one, many = _forms(message.id)[0], _forms(message.id)[-1]
        if message.context:
            said = [known.pgettext(message.context, one)]
        else:
            said = [known.ngettext(one, many, count) for count in (1, 2)] if one != many else [known.gettext(one)]
        assert {*said} == {*_forms(message.string)}
