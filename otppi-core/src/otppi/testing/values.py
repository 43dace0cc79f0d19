"""Values of sections, of their own type, for tests of what reads them."""

from typing import Any, TypeVar, cast

from otppi.api.settings import TypedSection

V = TypeVar("V")


def values_of(section: TypedSection[V], /, **changes: Any) -> V:
    """Return a section's values where only `changes` are set, unchecked; all others are the defaults.

    Raises:
        KeyError: For a setting that the section does not have.
    """
    values = section.defaults()
    if unknown := sorted(changes.keys() - values.keys()):
        raise KeyError(f"section {section.key!r} has no setting {', '.join(unknown)}")
    return cast("V", values | changes)
