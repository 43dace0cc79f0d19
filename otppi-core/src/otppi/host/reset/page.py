"""The page of resets, declared as those of plugins are."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from otppi.api.operations import Role
from otppi.api.pages import Page, PageContext
from otppi.host.reset.operations import RESET_GROUPS
from otppi.host.reset.settings import RESET
from otppi.text import _, joined

if TYPE_CHECKING:
    from otppi.api.blocks import Block, Cell


def _blocks(context: PageContext) -> "Iterator[Block]":
    from otppi.api.blocks import Facts, Form, Operations, Paragraph, Table, Timestamp  # with what only pages need

    state = context.perform("reset_status")
    yield Paragraph(_("Brings parts of the device back to what they were when it was new. Make a backup before that."))
    if state["last_at"]:
        what = joined(", ", state["last_groups"])
        facts: dict[str, Cell] = {_("When"): Timestamp(state["last_at"]), _("What"): what, _("Who"): state["last_by"]}
        yield Facts(facts, _("The last reset"))
    yield Table(
        title=_("Parts"),
        columns=(_("Part"), _("What is reset with it")),
        rows=[(one["part"], one["resets"]) for one in context.perform("reset_parts")],
    )
    yield Operations((RESET_GROUPS.name,))
    yield Form(RESET.key)


RESET_PAGE: Final = Page(
    key="reset-device", title=_("Reset"), blocks=_blocks, role=Role.ADMINISTRATOR, operations=(RESET_GROUPS,),
    sections=(RESET.key,),
)  # fmt: skip
