"""How settings are declared: one function for each kind."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypedDict, Unpack

from otppi.api.settings.inputs import Input
from otppi.api.settings.kinds import Effect, Kind, Suggest
from otppi.api.settings.setting import Setting


class Rules(TypedDict, total=False):
    """What may be said of a setting beyond key, title, help and default; see `Setting`."""

    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]
    choice_titles: Mapping[str, str]
    pattern: str | None
    pattern_says: str
    unit: str
    secret: bool
    required: bool
    check: Callable[[Any], str | None] | None
    aliases: tuple[str, ...]
    closed: Any
    tidy: Callable[[str], str] | None
    group: str
    advanced: bool
    input: Input | None
    enabled_by: str | None
    suggest: Suggest | None
    effect: Effect | None
    hashed_in: str | None
    switched_on_encrypted: bool


def text(key: str, title: str, help: str, default: str = "", **rules: Unpack[Rules]) -> Setting:  # noqa: A002
    """Declare a text."""
    return Setting(key=key, title=title, help=help, default=default, **rules)


def integer(key: str, title: str, help: str, default: int, **rules: Unpack[Rules]) -> Setting:  # noqa: A002
    """Declare a whole number."""
    return Setting(key=key, title=title, help=help, default=default, kind=Kind.INTEGER, **rules)


def number(key: str, title: str, help: str, default: float, **rules: Unpack[Rules]) -> Setting:  # noqa: A002
    """Declare a number that may have a fraction."""
    return Setting(key=key, title=title, help=help, default=default, kind=Kind.NUMBER, **rules)


def boolean(key: str, title: str, help: str, default: bool, **rules: Unpack[Rules]) -> Setting:  # noqa: A002
    """Declare a yes or no."""
    return Setting(key=key, title=title, help=help, default=default, kind=Kind.BOOLEAN, **rules)


def text_list(key: str, title: str, help: str, **rules: Unpack[Rules]) -> Setting:  # noqa: A002
    """Declare a list of texts, empty by default."""
    return Setting(key=key, title=title, help=help, default=[], kind=Kind.TEXT_LIST, **rules)


def grouped(group: str, *settings: Setting, advanced: bool = False) -> tuple[Setting, ...]:
    """Put settings into a group of their section's page, all of them shown on demand only where that is `advanced`."""
    return tuple(replace(one, group=group, advanced=advanced or one.advanced) for one in settings)


def rows(
    key: str,
    title: str,
    help: str,  # noqa: A002
    columns: tuple[Setting, ...],
    *,
    unique: tuple[str, ...] = (),
    parse: Callable[[str], Mapping[str, Any]] | None = None,
    **rules: Unpack[Rules],
) -> Setting:
    """Declare a list of rows, empty by default: objects that have the same few settings.

    Args:
        key: Its name in documents.
        title: What a form calls it.
        help: One sentence that says what it does.
        columns: The settings of a row.
        unique: The columns in which rows differ.
        parse: Reads a row that is one text, as earlier versions had it; raises ValueError with the reason.
        rules: See `Setting`.
    """
    return Setting(
        key=key,
        title=title,
        help=help,
        default=[],
        kind=Kind.ROWS,
        columns=columns,
        unique=unique,
        parse=parse,
        **rules,
    )
