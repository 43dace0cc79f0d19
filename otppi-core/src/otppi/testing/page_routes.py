"""All pages that there are, found by walking the tree that CherryPy serves: what tests try on each, a new one gets."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from otppi.admin.pages.root import Root
from otppi.admin.security.guard import Access, access_of
from otppi.host.core import load_plugins

_DEPTH: Final = 4
_DECLARED: Final = "/pages"
_BELOW: Final[Mapping[str, Sequence[str]]] = {
    "/confirm": ("/confirm/a-token-of-nothing",),
    "/network": ("/network/network_ethernet", "/network/network_dhcp"),
    "/settings": ("/settings/sms", "/settings/modems/edit?_item=m0", "/settings/modems/remove?_item=m0"),
}
"""Of handlers that take any path below theirs (`default`): paths of a `Site`; new ones are added here."""


class _Nothing:
    """Stands for the parts of a gateway: the tree is looked at, and nothing is called."""


def page_routes() -> list[tuple[str, Access]]:
    """Return the paths of all pages, and who may ask for each.

    Raises:
        AssertionError: One is exposed, and does not say to whom; or takes any path, and no path is known.
    """
    found = []
    for path, handler in _handlers(Root(_Nothing())):  # type: ignore[arg-type]  # nothing of it is used
        access = access_of(handler)
        if access is None:
            raise AssertionError(f"{path} is exposed, and does not say to whom")
        above, _slash, name = path.rpartition("/")
        if name != "default":
            found.append((path, access))
        elif above == _DECLARED:
            found += _declared(access)
        elif above in _BELOW:
            found += [(one, access) for one in _BELOW[above]]
        else:
            raise AssertionError(f"no path below {above} is known to try: name one in {__name__}")
    return sorted(found, key=lambda one: one[0])


def _declared(access: Access) -> Iterator[tuple[str, Access]]:
    """Yield the pages that are declared, and what can be done there: each says to whom."""
    for page in load_plugins().pages.values():
        yield f"{_DECLARED}/{page.key}", replace(access, role=page.role)
        for operation in page.operations:
            yield f"{_DECLARED}/{page.key}/{operation.name}", replace(access, role=operation.role)


def _handlers(node: Any, path: str = "", depth: int = _DEPTH) -> Iterator[tuple[str, Any]]:
    """Yield whatever is exposed below a node, by its path."""
    for name, value in inspect.getmembers(node):
        if name.startswith("_"):
            continue
        if getattr(value, "exposed", False):
            yield (path or "/") if name == "index" else f"{path}/{name}", value
        elif hasattr(value, "__dict__") and not callable(value) and depth:
            yield from _handlers(value, f"{path}/{name}", depth - 1)
