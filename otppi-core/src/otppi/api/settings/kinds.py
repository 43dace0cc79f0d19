"""What a setting can be: the types of values, the groups of a page, what a change does, and what is suggested."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from otppi.text import _

REDACTED = "********"
"""Stands in an export, and in a document that is given back, for a secret that is set."""


class Kind(StrEnum):
    """The type of a setting's value."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT_LIST = "text list"
    ROWS = "rows"
    ANY = "any JSON value"
    """Of an operation's argument that its handler looks into, such as a whole document."""


PYTHON_TYPES: Mapping[Kind, type] = {
    Kind.TEXT: str,
    Kind.INTEGER: int,
    Kind.NUMBER: float,
    Kind.BOOLEAN: bool,
    Kind.TEXT_LIST: list,
    Kind.ROWS: list,
    Kind.ANY: object,
}
JSON_TYPES: Mapping[Kind, str] = {
    Kind.TEXT: "string",
    Kind.INTEGER: "integer",
    Kind.NUMBER: "number",
    Kind.BOOLEAN: "boolean",
    Kind.TEXT_LIST: "array",
    Kind.ROWS: "array",
}
TYPE_NAMES: Mapping[Kind, str] = {
    Kind.TEXT: _("text"),
    Kind.INTEGER: _("a whole number"),
    Kind.NUMBER: _("a number"),
    Kind.BOOLEAN: _("true or false"),
    Kind.TEXT_LIST: _("a list of texts"),
    Kind.ROWS: _("a list of rows"),
}
KIND_NAMES: Mapping[Kind, str] = {
    Kind.TEXT: _("text"),
    Kind.INTEGER: _("integer"),
    Kind.NUMBER: _("number"),
    Kind.BOOLEAN: _("boolean"),
    Kind.TEXT_LIST: _("text list"),
    Kind.ROWS: _("rows"),
    Kind.ANY: _("any JSON value"),
}
"""What the reference calls them."""
LISTS = (Kind.TEXT_LIST, Kind.ROWS)


class Effect(Enum):
    """What a change of a setting does beside being used, as a person should know before it; the values are texts."""

    AT_ONCE = _("it is used at once")
    RECONNECTS = _("the connection is made anew")
    REOPENS = _("the modem or account is opened anew, after the message that it is sending")
    RESTARTS = _("it is used after the gateway's next start")
    MAY_CUT_OFF = _("whoever is connected may be cut off")


class Suggest(Enum):
    """Lists that only the running gateway knows, from which a form offers values; the values are texts."""

    MODEMS = _("modems")
    MODEM_TYPES = _("modem types")
    INGRESSES = _("ingresses")
    SERIAL_PORTS = _("serial ports")


@dataclass(frozen=True, slots=True)
class Group:
    """A part of a section's page.

    Attributes:
        key: By which settings name it.
        title: What people call it.
        help: What it is about.
        advanced: Whether a form shows it on demand only.
    """

    key: str
    title: str
    help: str = ""
    advanced: bool = False

    def __post_init__(self) -> None:
        if not self.key or not self.title:
            raise ValueError("a group of settings needs a key and a title")
