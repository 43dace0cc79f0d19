"""The reference of settings, as Markdown."""

import json
import textwrap
from collections.abc import Iterable, Sequence

from otppi.api.settings.kinds import Group, Kind
from otppi.api.settings.setting import Setting

_HEAD = ["| Setting | Title | Type | Default | What it does |", "|---|---|---|---|---|"]


def page(title: str, about: Iterable[str], groups: Sequence[tuple[Group | None, Sequence[Setting]]]) -> str:
    """Write the page of a section: a table for each group, and one for the rows of each setting that has some."""
    lines = [f"## {title}", ""]
    for paragraph in about:
        lines += [*prose(paragraph), ""]
    for group, settings in groups:
        if len(groups) > 1:
            lines += [f"### {group.title if group else 'Others'}", ""]
            lines += [*prose(group.help), ""] if group and group.help else []
        lines += [*table(settings), ""]
        for setting in settings:
            if setting.kind is Kind.ROWS:
                lines += [f"Each row of `{setting.key}`:", "", *table(setting.columns), ""]
    return "\n".join(lines)


def prose(paragraph: str) -> list[str]:
    """Wrap a paragraph to lines of 120 characters."""
    return textwrap.wrap(paragraph, 120, break_long_words=False, break_on_hyphens=False) or [""]


def table(settings: Iterable[Setting], what: str = "Setting") -> list[str]:
    """Write a table of settings, a line for each."""
    return [_HEAD[0].replace("Setting", what), *_HEAD[1:], *map(_row, settings)]


def _row(setting: Setting) -> str:
    title = f"{setting.title} (advanced)" if setting.advanced else setting.title
    default = "required" if setting.required else "secret" if setting.secret else f"`{json.dumps(setting.default)}`"
    cells = (f"`{setting.key}`", title, _type(setting), default, setting.help)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _type(setting: Setting) -> str:
    if setting.kind is Kind.ROWS:
        return f"rows of {', '.join(f'`{column.key}`' for column in setting.columns)}"
    meant = setting.input.value if setting.input and setting.kind is Kind.TEXT else setting.kind.value
    kind = " or ".join(f"`{choice}`" for choice in setting.choices) or meant
    span = [
        f"{word} {limit:,}" for word, limit in (("from", setting.minimum), ("to", setting.maximum)) if limit is not None
    ]
    return " ".join([kind, *span, setting.unit]).strip()
