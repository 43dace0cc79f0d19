"""The registry of operations: who may, with which arguments, one change at a time, and the audit of what was done."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from otppi.api.errors import Busy, InvalidSettings, NotPermitted, OtpPiError
from otppi.api.ingress import Origin, Sender
from otppi.api.operations import Actor, Call, Operation, Role
from otppi.text import _
from otppi.wire.errors import FieldError

logger = logging.getLogger(__name__)

COMMAND_LINE = Actor("administrator", "command-line", Role.ADMINISTRATOR)
"""Whoever may open the control socket or the data folder: its owner and root."""
SETTINGS = "settings"
"""What an operation is declared to change whose change may be told which revision of the settings it was made from."""
LONGEST_WAIT = 120.0
"""Seconds that an operation may take, so that no connection of the control socket is held for ever."""

_LONGEST_DETAIL = 200

T = TypeVar("T")

Tell = Callable[[str, float | None], None]
"""Is told how far a call is (`Call.progress`)."""


def _to_nobody(step: str, share: float | None) -> None:
    """Tell nobody: whoever asked waits for the end."""


class NotRunning(OtpPiError):  # noqa: N818
    """This needs a gateway that runs, and none does."""


@dataclass(frozen=True, slots=True)
class Audited:
    """What the audit keeps of one call. It holds no argument but the subject, which is never secret.

    Attributes:
        at: When it ended, in Unix seconds.
        actor: Who asked, from where, in which role.
        operation: Its name.
        subject: What it was about, such as a modem's name; empty where the operation names nothing.
        outcome: `done`; else `refused` (the arguments or the role), or `failed`.
        detail: Which fields were wrong, or the class of the error; never a value.
        fields: The names of the arguments that were given, or what the handler says that it changed; never a value.
    """

    at: float
    actor: Actor
    operation: str
    subject: str
    outcome: str
    detail: str = ""
    fields: tuple[str, ...] = ()


def origin_of(actor: Actor) -> Origin:
    """Return where a message comes in that an actor sends."""
    return Origin(actor.origin, Sender(actor.name), actor.address)


def log_audited(audited: Audited) -> None:
    """Write what was done to the log."""
    about = f" {audited.subject!r}" if audited.subject else ""
    detail = f" ({audited.detail})" if audited.detail else ""
    who = f"{audited.actor}{f' at {audited.actor.address}' if audited.actor.address else ''}"
    logger.info("%s%s by %s, %s: %s%s", audited.operation, about, who, audited.actor.role, audited.outcome, detail)


class HostCall(Call):
    """What the gateway's own handlers see: also the parts of the gateway.

    Args:
        registry: Whose operation it is.
        operation: Which.
        actor: Who asks.
        changing: Whether the lock of changes is held.
        revision: Of the settings that a change of them was made from, where the actor tells it.
        tell: Is told how far it is.
    """

    def __init__(
        self,
        registry: "Registry",
        operation: Operation,
        actor: Actor,
        *,
        changing: bool,
        revision: int | None = None,
        tell: Tell = _to_nobody,
    ) -> None:
        self.actor = actor
        self.revision = revision
        self.changed: tuple[str, ...] = ()
        self._registry = registry
        self._operation = operation
        self._changing = changing
        self._tell = tell

    def progress(self, step: str, share: float | None = None) -> None:
        """Tell how far it is; see `Call.progress`."""
        self._tell(step, share)

    def perform(self, name: str, /, **arguments: Any) -> Any:
        """Carry out another operation; see `Call.perform`."""
        wanted = self._registry.find(name)
        if self._operation.reads_only and not wanted.reads_only:
            raise NotPermitted(
                _(
                    "{operation} is declared to read only, and {name} does more",
                    operation=self._operation.name,
                    name=name,
                )
            )
        revision = self.revision if wanted.changes == SETTINGS else None
        return self._registry.carry_out(
            wanted, arguments, self.actor, changing=self._changing, revision=revision, tell=self._tell
        )

    def has_changed(self, fields: Iterable[str]) -> None:
        """Tell the audit the names of the fields that were changed, or of how many things, in place of the arguments'.

        A value is never told.
        """
        self.changed = tuple(fields)

    def declaration(self, name: str) -> Operation | None:
        """Return how an operation is declared; None where there is none of that name."""
        return self._registry.operations.get(name)

    def part(self, kind: type[T]) -> T:
        """Return the part of the gateway that is of this class.

        Raises:
            NotRunning: It is there only while the gateway runs.
        """
        return self._registry.part(kind)

    def last_change(self, why: str) -> None:
        """Refuse every change from the end of this one on, until the process ends: what is kept then is settled."""
        self._registry.close_changes(why)


class Registry:
    """All operations, and what they work on. Any thread.

    Args:
        operations: The gateway's own first: one of the same name or command that comes later is left out.
        parts: What the handlers work on (`HostCall.part`): on a data folder alone fewer than in a running gateway.
        tell: Is told of every call that the audit is to know.
        patience: Seconds that a change waits for another one to end.
    """

    def __init__(
        self,
        operations: Iterable[Operation],
        parts: Iterable[object] = (),
        tell: Callable[[Audited], None] = log_audited,
        patience: float = LONGEST_WAIT,
    ) -> None:
        self._operations: dict[str, Operation] = {}
        self._parts = tuple(parts)
        self._tell = tell
        self._patience = patience
        self._lock = threading.Lock()
        self._closed = ""
        for one in operations:
            self._add(one)

    def _add(self, operation: Operation) -> None:
        if operation.name in self._operations:
            logger.error("operation %s is left out: there is another one of this name", operation.name)
        elif taken := self._clash(operation.command) or self._other_default(operation):
            logger.error("operation %s is left out: its command is that of %s", operation.name, taken)
        else:
            self._operations[operation.name] = operation

    def _clash(self, command: str) -> str:
        """Return the operation whose command would hide this one, or be hidden by it."""
        words = f"{command} "
        others = [one for one in self._operations.values() if command and one.command]
        hidden = (one for one in others if f"{one.command} ".startswith(words) or words.startswith(f"{one.command} "))
        return next((one.name for one in hidden), "")

    def _other_default(self, operation: Operation) -> str:
        """Return the operation that keeps this one from being what its first word alone means, where it wants to be.

        It is the group's default, or another package's: that one's group has no default, or its own.
        """
        group = operation.command.partition(" ")[0]
        for one in self._operations.values() if operation.default_command else ():
            if one.command.partition(" ")[0] == group and (one.default_command or one.package != operation.package):
                return one.name
        return ""

    @property
    def operations(self) -> Mapping[str, Operation]:
        """Return all operations by their names."""
        return self._operations

    def find(self, name: object) -> Operation:
        """Return an operation by its name.

        Raises:
            LookupError: There is none.
        """
        operation = self._operations.get(name) if isinstance(name, str) else None
        if operation is None:
            raise LookupError(_("there is no operation {name!r}", name=str(name)[:64]))
        return operation

    def part(self, kind: type[T]) -> T:
        """Return the part that is of this class; see `HostCall.part`."""
        for one in self._parts:
            if isinstance(one, kind):
                return one
        raise NotRunning(_("the gateway is not running (start it with: otppi run)"))

    def call(
        self, name: object, arguments: object, actor: Actor, revision: int | None = None, *, tell: Tell = _to_nobody
    ) -> Any:
        """Carry out an operation, and return its result, which is a JSON value.

        Args:
            name: Of the operation.
            arguments: An object of them.
            actor: Who asks.
            revision: Of the settings that a change of them was made from: what somebody else has changed since then is
                not overwritten.
            tell: Is told how far it is; it raises `Cancelled` where a person has called it off.

        Raises:
            LookupError: There is no such operation.
            NotPermitted: The actor's role is too small for it.
            InvalidSettings: With everything that is wrong with the arguments.
            Busy: Another change goes on for too long; nothing was done.
            OtpPiError: Why it could not be done.
        """
        return self.carry_out(self.find(name), arguments, actor, changing=False, revision=revision, tell=tell)

    def carry_out(
        self,
        operation: Operation,
        arguments: object,
        actor: Actor,
        *,
        changing: bool,
        revision: int | None,
        tell: Tell = _to_nobody,
    ) -> Any:
        """Carry out an operation, as a part of a change that goes on where `changing` says so."""
        subject, outcome, detail, told = "", "failed", "", operation.audited
        fields = _given(operation, arguments)
        try:
            _check_role(operation, actor)
            _check_revision(operation, revision)
            values = operation.check(arguments)
            subject = str(values.get(operation.subject, ""))[:64]
            with self._change(operation, changing=changing):
                within = changing or bool(operation.changes)
                call = HostCall(self, operation, actor, changing=within, revision=revision, tell=tell)
                result = operation.handler(call, **values)
            fields = call.changed or fields
            outcome = "done"
        except InvalidSettings as error:
            noted = dict.fromkeys(problem.noted or problem.field for problem in error.problems)
            outcome, detail = "refused", ", ".join(noted)[:_LONGEST_DETAIL]
            raise
        except NotPermitted:
            outcome, detail, told = "refused", "role", True
            raise
        except BaseException as error:
            detail = type(error).__name__
            raise
        finally:
            if told:
                self._tell(Audited(time.time(), actor, operation.name, subject, outcome, detail, fields))
        return result

    def close_changes(self, why: str) -> None:
        """Refuse every change from now on."""
        self._closed = why

    @contextlib.contextmanager
    def _change(self, operation: Operation, *, changing: bool) -> Iterator[None]:
        """Hold the lock of changes while an operation goes on that changes something."""
        if changing or not operation.changes:
            yield
            return
        if not self._lock.acquire(timeout=self._patience):
            raise Busy(_("another change of the gateway goes on, and nothing was done"), self._patience)
        try:
            if self._closed:
                raise Busy(self._closed, 10.0)
            yield
        finally:
            self._lock.release()


def _given(operation: Operation, arguments: object) -> tuple[str, ...]:
    """Return the names of the arguments that were given; what is none of the operation's is a stranger's words."""
    given = arguments if isinstance(arguments, Mapping) else {}
    return tuple(one.key for one in operation.parameters if any(name in given for name in (one.key, *one.aliases)))


def _check_role(operation: Operation, actor: Actor) -> None:
    if not actor.role.covers(operation.role):
        raise NotPermitted(
            _(
                "{operation} is for the role {role}, and {actor} is {role2}",
                operation=operation.name,
                role=operation.role,
                actor=actor,
                role2=actor.role,
            )
        )


def _check_revision(operation: Operation, revision: object) -> None:
    if revision is None:
        return
    if operation.changes != SETTINGS:
        raise InvalidSettings([FieldError("revision", _("{operation} changes no settings", operation=operation.name))])
    if not isinstance(revision, int) or isinstance(revision, bool):
        raise InvalidSettings([FieldError("revision", _("must be a whole number"))])
