"""Asks declared pages for what they show: each on its own, so that one that fails harms only itself."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from otppi.admin.blocks.context import ReadingContext
from otppi.admin.blocks.guard import GuardedCall, Made, NotShownError, Pending, failed, not_shown
from otppi.api.operations import Actor
from otppi.api.pages import Page
from otppi.host.runtime.registry import Registry
from otppi.host.settings.config import Config
from otppi.text import _
from otppi.text.languages import translated
from otppi.web.faults import log_fault

if TYPE_CHECKING:
    from otppi.admin.blocks.shown import ShownBlock, ShownTile

logger = logging.getLogger(__name__)

_TILE, _BLOCKS = "tile", "blocks"
_MOST_BLOCKS: Final = 30
_CUT: Final = _("There is more than a page can show.")


@dataclass(frozen=True, slots=True)
class DeclaredTile:
    """What a page says of itself on the first page, or why it does not.

    Attributes:
        page: The page.
        tile: What it says; None where that could not be had.
        trouble: Why; empty where it could.
    """

    page: Page
    tile: "ShownTile | None"
    trouble: str = ""


class PageCalls:
    """What the pages are asked for, and how that went. Any thread.

    Args:
        pages: By their keys.
        registry: The operations.
        config: The settings.
        patience: Seconds that a page may take.
    """

    def __init__(self, pages: Mapping[str, Page], registry: Registry, config: Config, patience: float) -> None:
        self._pages = pages
        self._registry = registry
        self._config = config
        self._calls = {
            key: {part: GuardedCall(f"the {part} of page {key}", patience) for part in (_BLOCKS, _TILE)}
            for key in pages
        }

    def trouble(self, page: Page) -> str:
        """Return why a page is switched off; empty where it is not."""
        return next((one.off.said for one in self._calls[page.key].values() if one.off is not None), "")

    def blocks(self, page: Page, actor: Actor, language: str) -> "list[ShownBlock]":
        """Return what a page shows; what fails is told in its own place."""
        if off := self.trouble(page):
            return [_trouble(off, language)]
        made: Made[ShownBlock] = self._calls[page.key][_BLOCKS].call(
            partial(_make_blocks, page, self._context(page, actor), language)
        )
        return [*made.found, *([_trouble(made.trouble, language)] if made.trouble else [])]

    def tiles(self, actor: Actor, language: str) -> list[DeclaredTile]:
        """Return what the pages say of themselves that this person may see; all are asked at the same time."""
        asked: list[tuple[Page, Pending[ShownTile]]] = []
        found: list[DeclaredTile] = []
        for key, page in self._pages.items():
            if page.tile is None or not actor.role.covers(page.role):
                continue
            if off := self.trouble(page):
                found.append(DeclaredTile(page, None, translated(off, language)))
                continue
            make = partial(_make_tile, page.tile, self._context(page, actor), language)
            asked.append((page, self._calls[key][_TILE].begin(make)))
        for page, pending in asked:
            made = self._calls[page.key][_TILE].end(pending)
            if made.trouble:
                found.append(DeclaredTile(page, None, translated(made.trouble, language)))
            else:
                found += [DeclaredTile(page, one) for one in made.found]
        return found

    def _context(self, page: Page, actor: Actor) -> ReadingContext:
        return ReadingContext(page, actor, self._registry, self._config)


def _trouble(why: str, language: str) -> "ShownBlock":
    from otppi.admin.blocks.shown import ShownTrouble

    return ShownTrouble(translated(why, language))


def _make_blocks(page: Page, context: ReadingContext, language: str, give: "Callable[[ShownBlock], None]") -> None:
    """Make the blocks of a page; one that cannot be shown is told in its place, and the others follow it."""
    given = page.blocks(context)
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise NotShownError(_("it gave no blocks, but something of the type {kind}", kind=type(given).__name__[:64]))
    blocks = iter(given)
    for one in islice(blocks, _MOST_BLOCKS):
        give(_read(page, one, language))
    if next(blocks, None) is not None:
        give(_trouble(_CUT, language))


def _read(page: Page, block: object, language: str) -> "ShownBlock":
    from otppi.admin.blocks.reading import read_block

    try:
        return read_block(block, language)
    except NotShownError as error:
        logger.error("a part of page %s cannot be shown: %s", page.key, error)  # noqa: TRY400 - it says it all
        return _trouble(not_shown(error), language)
    except Exception as error:  # noqa: BLE001 - rows are made while they are read, by a stranger's code; logged
        log_fault(logger, f"A part of page {page.key} failed")
        return _trouble(failed(error), language)


def _make_tile(
    tile: Callable[[Any], object], context: ReadingContext, language: str, give: "Callable[[ShownTile], None]"
) -> None:
    if (made := tile(context)) is not None:
        from otppi.admin.blocks.reading import read_tile

        give(read_tile(made, language))
