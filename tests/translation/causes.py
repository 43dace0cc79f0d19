"""Finds what a person is told as a plain string, in the calls by which states and causes come to be."""

import ast
from collections.abc import Iterable, Iterator, Sequence

SAYING = {
    "say": 0,  # Link: what the connection does now
    "connected": 0,
    "drain": 0,
    "_fail": 0,
    "_start_over": 0,
    "_tell": 1,  # of the connection to the internet
    "FieldError": 1,
}
"""Calls that are told to a person, and which of their arguments is; beside these every error that is no program's."""

NAMED = frozenset({"cause", "detail", "last_problem", "problem", "reason", "summary", "title", "help"})
"""Arguments by these names are told to a person, whatever is called."""

FOR_PROGRAMS = frozenset({"AuthenticationFailed", "BusError", "CallEndedError", "Closed", "RefusedError"})
"""Errors that no person is told: the answers of the API stay English, and others are made into words elsewhere."""

_ROOTS = frozenset({"OtpPiError", "WireError"})


def errors(trees: Iterable[ast.Module]) -> frozenset[str]:
    """Return the names of the errors that are told to a person: those of the gateway, and what is derived of them."""
    bases = {
        node.name: {one.id for one in node.bases if isinstance(one, ast.Name)}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = set(_ROOTS)
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return frozenset(found - FOR_PROGRAMS)


def plain(tree: ast.Module, told: frozenset[str]) -> Iterator[int]:
    """Yield the lines at which a person is told something that no catalogue can say in another language.

    Args:
        tree: A module.
        told: Names of errors whose first argument is told.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            place = SAYING.get(name, 0 if name in told else None)
            given: Sequence[ast.expr] = [] if place is None else node.args[place : place + 1]
            named = [keyword.value for keyword in node.keywords if keyword.arg in NAMED]
            yield from (one.lineno for one in (*given, *named) if _is_plain(one))


def phases(tree: ast.Module) -> Iterator[int]:
    """Yield the lines at which a state, as a member of an enumeration, is a plain sentence."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases):
            members = [one for one in node.body if isinstance(one, ast.Assign)]
            yield from (one.lineno for one in members if _is_sentence(one.value))


def _is_plain(value: ast.expr) -> bool:
    match value:
        case ast.JoinedStr():
            return True
        case ast.Constant(value=str(words)):
            return any(letter.isalpha() for letter in words)
        case ast.IfExp():
            return _is_plain(value.body) or _is_plain(value.orelse)
        case ast.BoolOp():
            return any(map(_is_plain, value.values))
        case ast.BinOp():
            return _is_plain(value.left) or _is_plain(value.right)
        case ast.Call(func=ast.Name(id="str"), args=[ast.Name(id="error")]):
            return True  # of a text only its English is left: `words` keeps it
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="format" | "join")):
            return True
    return False


def _is_sentence(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, str) and " " in value.value
