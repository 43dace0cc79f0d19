"""Pages of the administration that a plugin brings: it gives data, and the gateway draws them."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from otppi.api.operations import Actor, Operation, Role

if TYPE_CHECKING:  # only where there is such a page, or who draws it: it takes memory
    from otppi.api.blocks import Block, Level

OWN_NAMES: Final = frozenset(
    (
        "account",
        "admin",
        "administrators",
        "claim",
        "clock",
        "confirm",
        "forgotten",
        "guide",
        "home",
        "jobs",
        "keys",
        "language",
        "locked",
        "login",
        "logout",
        "messages",
        "modems",
        "monitor",
        "more",
        "pages",
        "restoring",
        "routing",
        "services",
        "settings",
        "static",
        "system",
        "users",
    )
)
"""The names of the administration's own pages, and what else its addresses begin with."""


class Menu(StrEnum):
    """The part of the menu that a page belongs to: it has that part's symbol there."""

    MESSAGES = "messages"
    MODEMS = "modems"
    API = "api"
    NETWORK = "network"
    SYSTEM = "system"


class PageContext(ABC):
    """What a page is made from, for one visit; for the thread that it was given to."""

    actor: Actor
    """Who looks at the page."""

    @abstractmethod
    def perform(self, name: str, /, **arguments: Any) -> Any:
        """Carry out an operation that only reads, in the name of whoever looks at the page, and return its result.

        Raises:
            LookupError: There is no such operation.
            NotPermitted: The reader may not ask for it, or it does more than read, or wants the password again.
            OtpPiError: What that operation raises.
        """

    @abstractmethod
    def settings(self, section: str) -> Any:
        """Return what is set now in one of the page's `sections`, without secrets: an object, or a list of them.

        Raises:
            LookupError: The page does not name that section.
        """

    @property
    def modems(self) -> list[dict[str, Any]]:
        """The modems, as the operation `modems` tells of them."""
        return list(self.perform("modems"))


@dataclass(frozen=True, slots=True)
class Tile:
    """What a page says of itself on the first page.

    Attributes:
        level: How that is.
        text: The state, in one sentence.
        link: Whether the tile leads to the page.
    """

    level: "Level"
    text: str
    link: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page. Its address is `/pages/<key>`.

    `blocks` and `tile` are called on a thread of their own each time that somebody looks, and waited for two seconds.
    They change nothing, and look at what is known already: asking a modem or a server takes too long. What fails, is
    late, or is no block, is told in its own place, and how it failed is in the log. After three failures in a row, or
    where a thread does not come back, the page stays off until the next start.

    Attributes:
        key: Small letters, digits and dashes; unlike those of all pages, of the administration's own, and the keys of
            sections of settings.
        title: What it is called.
        blocks: Makes what the page shows; a generator's blocks are shown as far as it came.
        menu: The part of the menu that it belongs to.
        role: Who sees it.
        tile: Makes what it says of itself on the first page; None where it says nothing.
        operations: What can be done there. They need not be given by `otppi_operations` again; one without a command
            is `otppi <key> <name>`, the name without the page's key and with dashes.
        sections: The keys of the sections of settings that it reads.
    """

    key: str
    title: str
    blocks: "Callable[[PageContext], Iterable[Block]]"
    menu: Menu = Menu.SYSTEM
    role: Role = Role.VIEWER
    tile: Callable[[PageContext], Tile | None] | None = None
    operations: tuple[Operation, ...] = ()
    sections: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.key, str) or not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", self.key):
            raise ValueError(f"page {self.key!r} is not named by small letters, digits and dashes")
        if self.key in OWN_NAMES:
            raise ValueError(f"page {self.key!r} has the name of a page of the administration")
        if not self.title:
            raise ValueError(f"page {self.key!r} needs a title")
        if not callable(self.blocks) or not (self.tile is None or callable(self.tile)):
            raise TypeError(f"page {self.key!r}: blocks and tile are functions")
        if not all(isinstance(one, Operation) for one in self.operations):
            raise TypeError(f"page {self.key!r}: its operations are objects of the class Operation")
        named = [one.name for one in self.operations]
        if len(set(named)) < len(named):
            raise ValueError(f"page {self.key!r} has an operation twice")
        if "csv" in named:
            raise ValueError(f"page {self.key!r} has an operation 'csv', which is the address of its tables")

    @property
    def registered(self) -> tuple[Operation, ...]:
        """Its operations as the gateway knows them: each is a command, too."""
        return tuple(one if one.command else replace(one, command=self._command(one)) for one in self.operations)

    def _command(self, operation: Operation) -> str:
        words = operation.name.replace("_", "-").strip("-")
        return f"{self.key} {words.removeprefix(f'{self.key}-')}"
