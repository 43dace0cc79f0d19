"""Values of D-Bus as JSON and back, with their types: NetworkManager takes an `i` for no `u`."""

from collections.abc import Callable
from typing import Any, Final

_PLAIN: Final = ("String", "ObjectPath", "Boolean", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64")


def encoded(value: Any) -> Any:
    """Return a value of dbus-python, ready for JSON.

    Raises:
        TypeError: It is of a type that no profile has, such as a file descriptor.
    """
    kind = type(value).__name__
    if kind == "Dictionary":
        content: Any = [[encoded(key), encoded(one)] for key, one in value.items()]
    elif kind == "Array":
        content = [encoded(one) for one in value]
    elif kind in _PLAIN:
        content = str(value) if kind in ("String", "ObjectPath") else int(value)
    else:
        raise TypeError(f"a value of type {kind}")
    signature = str(value.signature) if kind in ("Dictionary", "Array") else ""
    return [kind, signature, int(value.variant_level), content]


def decoded(document: Any) -> Any:
    """Return the value of which `encoded` made a document."""
    import dbus

    kind, signature, level, content = document
    if kind == "Dictionary":
        pairs = {decoded(key): decoded(one) for key, one in content}
        return dbus.Dictionary(pairs, signature=signature, variant_level=level)
    if kind == "Array":
        return dbus.Array([decoded(one) for one in content], signature=signature, variant_level=level)
    if kind not in _PLAIN:
        raise TypeError(f"a value of type {kind}")
    make: Callable[..., Any] = getattr(dbus, kind)
    return make(content, variant_level=level)
