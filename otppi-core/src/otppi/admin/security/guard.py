"""What a handler of a page says of itself: who may ask for it, and how. One that says nothing is served to nobody."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from otppi.api.operations import Role

_MARK: Final = "otppi_access"

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask for a page.

    Attributes:
        role: The least role; None of a page that is there for everybody.
        methods: By which it is asked for.
        fresh: Whether the password has to have been given a moment ago.
        background: Whether a page asks for it by itself, so that it is no activity of the person.
        uploads: Whether its form may have files, and is as long as those may be (`otppi.admin.uploads`).
    """

    role: Role | None
    methods: frozenset[str]
    fresh: bool = False
    background: bool = False
    uploads: bool = False

    @property
    def changes(self) -> bool:
        """Whether it changes something, so that a form's token is needed."""
        return "POST" in self.methods


def page(role: Role = Role.VIEWER, *, fresh: bool = False, background: bool = False) -> Callable[[Handler], Handler]:
    """Expose a handler as a page that is looked at."""
    return _marked(Access(role, frozenset(("GET", "HEAD")), fresh, background))


def action(role: Role, *, fresh: bool = False, uploads: bool = False) -> Callable[[Handler], Handler]:
    """Expose a handler as what a form is sent to."""
    return _marked(Access(role, frozenset(("POST",)), fresh, uploads=uploads))


def form(role: Role, *, fresh: bool = False, uploads: bool = False) -> Callable[[Handler], Handler]:
    """Expose a handler that shows a form, and takes it."""
    return _marked(Access(role, frozenset(("GET", "HEAD", "POST")), fresh, uploads=uploads))


def public(*methods: str, uploads: bool = False) -> Callable[[Handler], Handler]:
    """Expose a handler to whoever asks: the login, and what has to be seen before it.

    Strangers upload only while the device has no administrator (`Gate`).
    """
    return _marked(Access(None, frozenset(methods), uploads=uploads))


def access_of(handler: object) -> Access | None:
    """Return who may ask for a handler; None of one that does not say so."""
    found = getattr(handler, _MARK, None)
    return found if isinstance(found, Access) else None


def access_at(tree: object, path: str) -> Access | None:
    """Return who may ask for a path of a tree of pages; None of one that nothing is at.

    Nothing is looked at but what is on the way: other pages need not be loaded for it.
    """
    found = tree
    for name in filter(None, path.split("/")):
        found = None if name.startswith("_") else getattr(found, name, None)
    return access_of(found) or access_of(getattr(found, "index", None))


def _marked(access: Access) -> Callable[[Handler], Handler]:
    def mark(handler: Handler) -> Handler:
        setattr(handler, _MARK, access)
        handler.exposed = True  # type: ignore[attr-defined]  # CherryPy's own mark
        return handler

    return mark
