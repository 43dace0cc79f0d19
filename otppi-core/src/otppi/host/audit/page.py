"""The page of the audit trail, declared as those of plugins are."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from otppi.api.operations import Role
from otppi.api.pages import Page, PageContext
from otppi.text import _, joined

if TYPE_CHECKING:
    from otppi.api.blocks import Block, Cell

_NEWEST: Final = 1000


def _blocks(context: PageContext) -> "Iterator[Block]":
    from otppi.api.blocks import Paragraph, Table  # with what only pages need

    yield Paragraph(_("Who asked for what, newest first. No values are kept, and nothing of what only reads."))
    yield Table(
        title=_("Entries"),
        columns=(_("Time"), _("Operation"), _("About"), _("Who"), _("From"), _("Result")),
        rows=[_row(one) for one in context.perform("audit", limit=_NEWEST)],
        empty=_("Nobody has asked for anything yet."),
        page_length=25,
    )


def _row(entry: dict[str, Any]) -> "tuple[Cell, ...]":
    from otppi.api.blocks import Level, Mark, Timestamp

    levels = {
        "done": (Level.GOOD, _("done")),
        "refused": (Level.WARN, _("refused")),
        "failed": (Level.BAD, _("failed")),
    }
    level, word = levels.get(entry["outcome"], (Level.OFF, entry["outcome"]))
    about = joined(", ", filter(None, [entry["subject"], *entry["field_titles"]]))
    where = entry["address"] or entry["origin"]
    return (Timestamp(entry["at"]), entry["title"], about, entry["actor"], where, Mark(level, word))


AUDIT: Final = Page(key="audit", title=_("Audit trail"), blocks=_blocks, role=Role.ADMINISTRATOR)
