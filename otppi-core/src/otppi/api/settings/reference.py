"""The reference of settings, as Markdown."""

import json
import textwrap
from collections.abc import Callable, Iterable, Sequence

from otppi.api.settings.kinds import KIND_NAMES, Group, Kind
from otppi.api.settings.setting import Setting
from otppi.text import _, joined

Say = Callable[[str], str]
"""Says a text in the language of whoever reads the page, as `otppi.text.languages.translated` does; `str`: English."""


def page(
    title: str, about: Iterable[str], groups: Sequence[tuple[Group | None, Sequence[Setting]]], say: Say = str
) -> str:
    """Write the page of a section: a table for each group, and one for the rows of each setting that has some."""
    lines = [f"## {say(title)}", ""]
    for paragraph in about:
        lines += [*prose(say(paragraph)), ""]
    for group, settings in groups:
        if len(groups) > 1:
            heading = say(group.title if group else _("Others"))
            lines += [f"### {heading}", ""]
            lines += [*prose(say(group.help)), ""] if group and group.help else []
        lines += [*table(settings, say=say), ""]
        for setting in settings:
            if setting.kind is Kind.ROWS:
                about_rows = say(_("Each row of `{setting}`:", setting=setting.key))
                lines += [about_rows, "", *table(setting.columns, say=say), ""]
    return "\n".join(lines)


def prose(paragraph: str) -> list[str]:
    """Wrap a paragraph to lines of 120 characters."""
    return textwrap.wrap(paragraph, 120, break_long_words=False, break_on_hyphens=False) or [""]


def table(settings: Iterable[Setting], what: str = _("Setting"), say: Say = str) -> list[str]:
    """Write a table of settings, a line for each."""
    head = (what, _("Title"), _("Type"), _("Default"), _("What it does"))
    return [_line(map(say, head)), f"|{'---|' * len(head)}", *(_line(map(say, _cells(one))) for one in settings)]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _cells(setting: Setting) -> tuple[str, ...]:
    title = _("{title} (advanced)", title=setting.title) if setting.advanced else setting.title
    default = (
        _("required") if setting.required else _("secret") if setting.secret else f"`{json.dumps(setting.default)}`"
    )
    return (f"`{setting.key}`", title, _type(setting), default, setting.help)


def _type(setting: Setting) -> str:
    if setting.kind is Kind.ROWS:
        return _("rows of {columns}", columns=", ".join(f"`{column.key}`" for column in setting.columns))
    words = [_kind(setting)]
    if setting.minimum is not None:
        words.append(_("from {least:,}", least=setting.minimum))
    if setting.maximum is not None:
        words.append(_("to {most:,}", most=setting.maximum))
    return joined(" ", [*words, setting.unit] if setting.unit else words)


def _kind(setting: Setting) -> str:
    if setting.choices:
        return joined(joined(" ", ("", _("or"), "")), [f"`{choice}`" for choice in setting.choices])
    return setting.input.value if setting.input and setting.kind is Kind.TEXT else KIND_NAMES[setting.kind]
