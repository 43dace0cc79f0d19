"""The declared pages of a gateway, as the pages around them know them.

What asks them, reads what they give and shows it is loaded when somebody looks for the first time: it takes memory.
"""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from otppi.api.operations import Actor
from otppi.api.pages import Page
from otppi.host.runtime.registry import Registry
from otppi.host.settings.config import Config

if TYPE_CHECKING:
    from otppi.admin.blocks.calls import DeclaredTile, PageCalls
    from otppi.admin.blocks.shown import ShownBlock

PATIENCE: Final = 2.0
"""Seconds that a page may take."""


class DeclaredPages:
    """The pages by their keys, and what they show. Any thread.

    Args:
        pages: By their keys.
        registry: The operations.
        config: The settings.
    """

    def __init__(self, pages: Mapping[str, Page], registry: Registry, config: Config) -> None:
        self.pages = pages
        self._registry = registry
        self._config = config
        self._lock = threading.Lock()
        self._made: PageCalls | None = None

    def trouble(self, page: Page) -> str:
        """Return why a page is switched off; empty where it is not."""
        return self._calls.trouble(page)

    def blocks(self, page: Page, actor: Actor, language: str) -> "list[ShownBlock]":
        """Return what a page shows; what fails is told in its own place."""
        return self._calls.blocks(page, actor, language)

    def tiles(self, actor: Actor, language: str) -> "list[DeclaredTile]":
        """Return what the pages say of themselves that this person may see; all are asked at the same time."""
        return self._calls.tiles(actor, language)

    @property
    def _calls(self) -> "PageCalls":
        from otppi.admin.blocks.calls import PageCalls

        with self._lock:
            if self._made is None:
                self._made = PageCalls(self.pages, self._registry, self._config, PATIENCE)
            return self._made
