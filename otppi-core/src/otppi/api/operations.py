"""Operations: what a person, or a program in a person's name, can ask of the gateway.

Each is declared once: the command line, the control socket and the reference of operations are made from declarations.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.settings import Section, Setting
from otppi.text import _
from otppi.wire.errors import FieldError

_GLOBAL_OPTIONS = frozenset({"data", "handler", "help", "json", "language", "revision"})
"""What a command knows besides its own arguments."""


class Role(StrEnum):
    """What an actor may do. Each role may do what those before it may."""

    VIEWER = "viewer"
    """See how the gateway is; no texts of messages."""
    OPERATOR = "operator"
    """Send, read the inbox, run USSD codes, change the blocking list."""
    ADMINISTRATOR = "administrator"
    """All: settings, users, keys, SIM cards' locks."""

    def covers(self, wanted: "Role") -> bool:
        """Return whether whoever has this role may do what wants that one."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(wanted)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, from where, in which role.

    Attributes:
        name: The person's or program's name.
        origin: By what they came in: "command-line", later the key of an ingress or of the pages.
        role: What they may do.
        address: From which address, where that is known.
        encrypted: Whether nobody on the way can read along; so it is on the device itself.
    """

    name: str
    origin: str
    role: Role
    address: str = ""
    encrypted: bool = True

    def __str__(self) -> str:
        return f"{self.origin}/{self.name}"


class Offline(StrEnum):
    """Whether an operation works on a data folder on which no gateway runs."""

    NO = "no"
    YES = "yes"
    CREATES = "creates"
    """It does, and makes the folder where there is none."""
    ANYWHERE = "anywhere"
    """It tells of what is installed only, and needs no data folder: its handler gets no part of the gateway but the
    plugins. The command line carries it out by itself, also where a gateway runs."""


class Call(ABC):
    """One call of an operation, as its handler sees it; for the caller's thread, until the handler returns."""

    actor: Actor

    @abstractmethod
    def perform(self, name: str, /, **arguments: Any) -> Any:
        """Carry out another operation in the name of the same actor, and return its result.

        Within an operation that changes something it is part of that change.

        Raises:
            LookupError: There is no such operation.
            NotPermitted: The actor may not do that, or the operation that performs it is declared to read only.
            OtpPiError: What that operation raises.
        """

    def progress(self, step: str, share: float | None = None) -> None:  # noqa: B027 - most calls are told to nobody
        """Tell whoever waits how far this is; where nobody follows it, nothing happens.

        Args:
            step: What is being done now, in words for people; no secret, no text of a message.
            share: How much of all is done, from 0 to 1; None where that is not known.

        Raises:
            Cancelled: A person has called it off: the handler undoes what it began, and lets this pass.
        """


Handler = Callable[..., Any]
"""Called with the `Call` and the checked arguments by their names; returns a JSON value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation. Names are unique among the gateway's own and those of all plugins.

    Attributes:
        name: What it is called by the control socket: small letters, digits and underscores.
        title: A few words for a menu or a button.
        help: What it does, in sentences.
        handler: Does it. On a thread of the caller; `OtpPiError` says why it could not be done.
        parameters: Its arguments. They are checked before the handler is called, and given to it complete.
        role: The least role that may ask for it.
        reads_only: Whether it changes nothing at all; such a one never waits for another.
        changes: What that is kept it changes ("settings"); operations that change something wait for one another. Empty
            where nothing is, as where something is sent: that waits for nobody.
        audit: Whether the audit tells of it; by default where it does not only read.
        waits: Whether it may take longer than some tenths of a second, as it waits for a modem, the network, or a
            person: whoever asks is not to keep others waiting meanwhile. What `changes` something may anyhow.
        asks_again: Whether a person who logged in to the administration has to have given the password within the last
            minutes: for accounts, tokens, and what else nobody is to do at a screen that was left (ASVS 5.0, 7.5.1 and
            7.5.3). The administration sees to it.
        confirm: What a person has to know before doing it, such as that it costs money: a page has it confirmed.
        subject: The parameter whose value the audit may tell (a modem's name); never a text or a secret.
        command: Its words on the command line ("sim-stock top-up"); empty where it is no command.
        default_command: Whether the first of its two words alone means it, too; it has no parameters then. One of each
            group may, where all commands that were in it before are of the same package.
        positional: The parameters that are given there by their place, in this order; the others are options.
        examples: What may follow the command's words, for its help.
        offline: Whether it works where no gateway runs.
    """

    name: str
    title: str
    help: str
    handler: Handler
    parameters: tuple[Setting, ...] = ()
    role: Role = Role.ADMINISTRATOR
    reads_only: bool = False
    changes: str = ""
    audit: bool | None = None
    waits: bool = False
    asks_again: bool = False
    confirm: str = ""
    subject: str = ""
    command: str = ""
    default_command: bool = False
    positional: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    offline: Offline = Offline.NO

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"operation name {self.name!r} is not snake case")
        if not self.title or not self.help:
            raise ValueError(f"operation {self.name!r} needs a title and a help text")
        if self.reads_only and self.changes:
            raise ValueError(f"operation {self.name!r} reads only, and changes {self.changes}")
        if self.offline is Offline.ANYWHERE and not self.reads_only:
            raise ValueError(f"operation {self.name!r} needs no data folder, and does not only read")
        if not re.fullmatch(r"([a-z][a-z0-9-]*( [a-z][a-z0-9-]*)?)?", self.command):
            raise ValueError(f"the command of operation {self.name!r} is not one or two words of small letters")
        if self.default_command and (" " not in self.command or self.parameters):
            raise ValueError(f"operation {self.name!r} is the default of no group of commands, or has parameters")
        known = {one.key: one for one in self.section.settings}
        if taken := _GLOBAL_OPTIONS & known.keys():
            raise ValueError(f"a parameter of operation {self.name!r} is called {', '.join(taken)}, as a global option")
        for key in (*self.positional, *([self.subject] if self.subject else [])):
            if key not in known:
                raise ValueError(f"operation {self.name!r} has no parameter {key!r}")
        if self.subject and known[self.subject].secret:
            raise ValueError(f"the subject of operation {self.name!r} is secret")

    @property
    def section(self) -> Section:
        """Return the parameters as a section, which checks and describes them."""
        return Section(key=self.name, title=self.title, help=self.help, settings=self.parameters, reset_group="")

    @property
    def audited(self) -> bool:
        """Return whether the audit tells of it."""
        return not self.reads_only if self.audit is None else self.audit

    @property
    def package(self) -> str:
        """Return the import name of the package that declares it, and has the catalogue of its texts."""
        return str(getattr(self.handler, "func", self.handler).__module__.partition(".")[0])

    def describe(self) -> dict[str, Any]:
        """Return the declaration as a JSON value; the parameters are in JSON Schema 2020-12."""
        return {
            "name": self.name,
            "package": self.package,
            "title": str(self.title),
            "help": str(self.help),
            "role": self.role.value,
            "reads_only": self.reads_only,
            "changes": self.changes,
            "waits": self.waits,
            "asks_again": self.asks_again,
            "confirm": str(self.confirm),
            "offline": self.offline.value,
            "command": self.command,
            "default_command": self.default_command,
            "positional": list(self.positional),
            "examples": list(self.examples),
            "parameters": self.section.json_schema(),
        }

    def check(self, arguments: object) -> dict[str, Any]:
        """Return the arguments complete: what is left out, or null, has its default.

        Raises:
            InvalidSettings: With everything that is wrong with them, by the parameters' names.
        """
        if not isinstance(arguments, Mapping):
            raise InvalidSettings([FieldError("arguments", _("must be an object"))])
        known = [name for one in self.parameters for name in (one.key, *one.aliases)]
        unknown = [str(name) for name in arguments if name not in known]
        given = {name: value for name, value in arguments.items() if name in known and value is not None}
        values, problems = self.section.validate(given, "")
        problems = [FieldError(one.field.removeprefix("."), one.reason) for one in problems]
        problems += [
            FieldError(
                name[:64], _("is not an argument of {operation}{meant}", operation=self.name, meant=_meant(name, known))
            )
            for name in unknown
        ]
        if problems:
            raise InvalidSettings(problems)
        return values


def _meant(name: str, known: list[str]) -> str:
    import difflib  # only for who misspelt something: it takes memory

    close = difflib.get_close_matches(name[:64], known, n=1)
    return _("; did you mean {close}?", close=close[0]) if close else ""
