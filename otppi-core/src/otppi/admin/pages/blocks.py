"""The pages that are declared (`otppi.api.pages`), those of plugins among them."""

from collections.abc import Sequence
from typing import Any

from otppi.admin.pages.answers import TITLES, PageError, visit
from otppi.admin.pages.sections import SectionPages
from otppi.admin.parts import Parts
from otppi.admin.security.guard import form
from otppi.api.operations import Role
from otppi.api.pages import Page


class BlockPages:
    """`/pages/KEY`, and what is below it."""

    def __init__(self, parts: Parts, sections: SectionPages) -> None:
        self._parts = parts
        self._sections = sections

    @form(Role.VIEWER)
    def default(self, *path: str, **fields: Any) -> bytes:
        """Show a page, or do what is to be done there."""
        page, rest = self._named(path)
        from otppi.admin.pages.block_page import BlockPage  # with what only these pages need: it takes memory

        return BlockPage(self._parts, self._sections).answer(page, rest, fields)

    def _named(self, path: Sequence[str]) -> tuple[Page, str]:
        page = self._parts.pages.pages.get(path[0]) if 1 <= len(path) <= 2 else None
        if page is None:
            raise PageError(404, *TITLES[404])
        if not visit().may(page.role):
            raise PageError(403, *TITLES[403])
        return page, path[1] if len(path) == 2 else ""
