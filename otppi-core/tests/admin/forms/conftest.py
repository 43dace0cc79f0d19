"""Draws forms as the pages do."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from otppi.admin.forms import Control, FormField, FormView
from otppi.testing.html import HtmlPage
from otppi.text import Text, _
from otppi.text.languages import translated

Draw = Callable[[FormView, str], HtmlPage]

_PAGE = """{% from "forms.html" import form with context %}{{ form(view, "/settings/x", {"_token": "t"}, "/back") }}"""


@pass_context
def _said(context: Context, value: Any) -> Any:
    return translated(value, context["language"]) if isinstance(value, Text) else value


@pytest.fixture(scope="session")
def drawn() -> Callable[[FormView, str], str]:
    """Return what draws a form as HTML in a language."""
    environment = Environment(
        loader=PackageLoader("otppi.admin"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_said,
    )
    environment.globals["_"] = _
    template = environment.from_string(_PAGE)

    def draw(view: FormView, language: str) -> str:
        say = partial(translated, language=language)
        return template.render(view=view, language=language, say=say).encode().decode()  # it can be sent

    return draw


@pytest.fixture(scope="session")
def page(drawn: Callable[[FormView, str], str]) -> Draw:
    """Return what draws a form and reads the page as a browser does."""
    return lambda view, language: HtmlPage(drawn(view, language))


@pytest.fixture(scope="session")
def sent() -> Callable[..., dict[str, list[str]]]:
    """Return what says what a browser sends of a form; `test_every_section.py` compares that with real pages."""

    def send(view: FormView, language: str = "id") -> dict[str, list[str]]:
        fields = (one for group in view.groups for one in (*group.fields, *group.advanced))
        return {name: [value] for one in fields for name, value in _sent(one, language)}

    return send


def _sent(field: FormField, language: str) -> Iterator[tuple[str, str]]:
    if field.control in (Control.SWITCH, Control.ROWS):
        yield f"{field.name}:shown", "1"
    if field.control is Control.ROWS:
        for row in field.rows:
            for cell in row.fields:
                yield from _sent(cell, language)
    elif field.control is not Control.SWITCH:
        value = str(translated(field.value, language))
        breaks = "\r\n" if field.control is Control.LINES else ""
        yield field.name, re.sub("\r\n?|\n", breaks, value)
    elif field.on:
        yield field.name, "1"
