"""Owns the command envelope that every ingress takes: JSON in, checked commands out, all errors at once.

``{"command": "...", "data": {...}}``; beside them ``callback_topic`` and ``callback_delay`` (milliseconds). ``data``
may be a list, each entry one command's data, and an entry of ``send-message`` may itself be a ``{"command", "data"}``.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from otppi.text import _, words
from otppi.wire.envelope_fields import (
    COMMAND_NAMES,
    PARAMETERS,
    SENDING,
    SHAPES,
    WITHOUT_DATA,
    Command,
    Reader,
    Shape,
    WrongValueError,
    text,
    whole_number,
)
from otppi.wire.errors import EnvelopeError, FieldError
from otppi.wire.lenient_json import load
from otppi.wire.response import Answer, ResponseCode, malformed

__all__ = ["Answer", "Command", "Envelope", "EnvelopeError", "FieldError", "Item", "ResponseCode", "malformed", "parse"]

BODY_LIMIT = 1 << 20
"""Longest envelope, in octets."""
CALLBACK_DELAY = 10
"""Milliseconds that the original waits before it answers on the callback topic."""
_ECHO_DEPTH = 32

_callback_topic = text(256, one_line=True)
_callback_delay = whole_number(600_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One command's data.

    Attributes:
        id: The sender's own number for it, as text.
        receiver: A number or an e-mail address, as the sender wrote it.
        message: The text; of ``request-otp`` with one ``%s``.
        subject: Of an e-mail.
        date_time: When the sender made it, in Unix seconds.
        expiration: When it is worth nothing any more, in Unix seconds.
        reference: What a one-time password is for.
        params: ``param1`` to ``param4``.
        otp: The one-time password to verify.
        modem_id: Which modem is meant.
        ussd_code: Such as ``*123#``; with a session the reply that it waits for.
        session: The USSD session that is gone on with.
        priority: Whether it goes before others.
        flash: Whether it is shown at once and not kept (3GPP TS 23.038 class 0).
    """

    id: str | None = None
    receiver: str | None = field(default=None, repr=False)
    message: str | None = field(default=None, repr=False)
    subject: str | None = field(default=None, repr=False)
    date_time: int | None = None
    expiration: int | None = None
    reference: str | None = None
    params: tuple[str | None, ...] = field(default=(None, None, None, None), repr=False)
    otp: str | None = field(default=None, repr=False)
    modem_id: str | None = None
    ussd_code: str | None = field(default=None, repr=False)
    session: str | None = None
    priority: Literal["otp", "bulk"] | None = None
    flash: bool = False


@dataclass(frozen=True, slots=True)
class Envelope:
    """A command that was read and checked.

    Attributes:
        command: What is asked for; an envelope around commands counts as what is inside.
        items: One for each command's data; a command without data has one that is empty.
        is_list: Whether ``data`` was a list.
        callback_topic: Where the answer is wanted; None if nowhere.
        callback_delay: How many milliseconds to wait before answering there.
        name: The command as the sender spelled it, for the answer.
        data: What ``echo`` sends back, as it came.
        sealed: Whether it came encrypted; whoever carried it may bring it again later.
    """

    command: Command
    items: tuple[Item, ...]
    is_list: bool = False
    callback_topic: str | None = None
    callback_delay: int = CALLBACK_DELAY
    name: str = ""
    data: object = field(default=None, repr=False)
    sealed: bool = field(default=False, compare=False)


def parse(body: bytes, *, max_items: int = 100) -> Envelope:
    """Read and check a command envelope.

    Args:
        body: The JSON text, UTF-8.
        max_items: How many entries ``data`` may have.

    Raises:
        EnvelopeError: Names every field that is wrong, ``body`` where it cannot be read at all. Nothing else is raised.
    """
    if len(body) > BODY_LIMIT:
        raise EnvelopeError(
            [FieldError("body", _("must not be longer than {body_limit:,} bytes", body_limit=BODY_LIMIT))]
        )
    document = load(body)
    if not isinstance(document, dict):
        raise EnvelopeError([FieldError("body", _("must be a JSON object with command and data"))])
    return _Check(max_items).envelope(document)


class _Check:
    """One envelope's check; collects the errors."""

    def __init__(self, max_items: int) -> None:
        self._max_items = max_items
        self._errors: list[FieldError] = []

    def envelope(self, document: dict[str, object]) -> Envelope:
        """Check the whole."""
        command = self._command(document, "command")
        if "response_code" in document:  # such as one that a sender had published to where commands come from
            self._wrong("response_code", _("must not be there: this is an answer, and no command"))
        topic: str | None = self._value(document, "callback_topic", _callback_topic)
        delay: int | None = self._value(document, "callback_delay", _callback_delay)
        data = document.get("data")
        items: tuple[Item, ...] = (Item(),)
        if command not in WITHOUT_DATA:
            command, items = self._data(command, data)
        elif not _is_shallow(data, _ECHO_DEPTH):
            self._wrong("data", _("is nested too deeply"))
        delay = CALLBACK_DELAY if delay is None else delay
        name = document.get("command")
        if self._errors or command is None:
            name = name if isinstance(name, str) and name in COMMAND_NAMES else ""
            raise EnvelopeError(self._errors, command=name, callback_topic=topic, callback_delay=delay)
        return Envelope(
            command=command,
            items=items,
            is_list=isinstance(data, list),
            callback_topic=topic,
            callback_delay=delay,
            name=str(name),
            data=data if command is Command.ECHO else None,
        )

    def _wrong(self, path: str, reason: str) -> None:
        self._errors.append(FieldError(path, reason))

    def _value(self, document: dict[str, object], name: str, reader: Reader) -> Any:
        value = document.get(name)
        if value is None:
            return None
        try:
            return reader(value)
        except WrongValueError as error:
            self._wrong(name, words(error))
            return None

    def _command(self, document: dict[str, object], path: str) -> Command | None:
        name = document.get("command")
        if name is None:
            self._wrong(path, _("is missing"))
        elif not isinstance(name, str):
            self._wrong(path, _("must be text in quotes"))
        elif name not in COMMAND_NAMES:
            self._wrong(
                path, _("is not a known command; known are {command_names}", command_names=", ".join(COMMAND_NAMES))
            )
        else:
            return COMMAND_NAMES[name]
        return None

    def _data(self, command: Command | None, data: object) -> tuple[Command | None, tuple[Item, ...]]:
        """Check ``data``: an object, or a list of them."""
        if data is None:
            self._wrong("data", _("is missing"))
        elif isinstance(data, list):
            if not data:
                self._wrong("data", _("must not be an empty list"))
            elif len(data) > self._max_items:
                self._wrong("data", _("must not have more than {max_items} entries", max_items=self._max_items))
            else:
                return self._entries(command, [(f"data[{index}]", entry) for index, entry in enumerate(data)])
        else:
            return self._entries(command, [("data", data)])
        return command, ()

    def _entries(
        self, command: Command | None, entries: list[tuple[str, object]]
    ) -> tuple[Command | None, tuple[Item, ...]]:
        """Check each entry, after taking off a further envelope around it."""
        items: list[Item] = []
        commands: list[Command] = []
        for path, entry in entries:
            inner = command
            if command is Command.SEND_MESSAGE and isinstance(entry, dict) and "command" in entry and "data" in entry:
                inner = self._command(entry, f"{path}.command")
                path, entry = f"{path}.data", entry["data"]
            if not isinstance(entry, dict):
                self._wrong(path, _("must be an object"))
            elif inner in WITHOUT_DATA:
                self._wrong(path, _("must be the data of a command that has some"))
            elif inner is not None:
                items.append(self._item(SHAPES[inner], entry, path))
                commands.append(inner)
        return self._common(commands), tuple(items)

    def _common(self, commands: list[Command]) -> Command | None:
        """Find the one command that all entries are: the sending ones differ by receiver only."""
        if not commands:
            return None
        if commands.count(commands[0]) == len(commands):
            return commands[0]
        if not SENDING.issuperset(commands):
            self._wrong("data", _("must hold the same command in all entries"))
        return Command.SEND_MESSAGE

    def _item(self, shape: Shape, data: dict[str, object], path: str) -> Item:
        """Check one command's data."""
        values: dict[str, Any] = {}
        wrong: set[str] = set()
        for name, value in data.items():
            known = shape.fields.get(name)
            if known is None or (value is None and name != "id"):
                continue
            attribute, reader = known
            try:
                value = reader(value)
            except WrongValueError as error:
                wrong.add(attribute)
                self._wrong(f"{path}.{name}", words(error))
                continue
            if values.setdefault(attribute, value) != value:
                wrong.add(attribute)
                self._wrong(f"{path}.{name}", _("must not differ from the other {attribute}", attribute=attribute))
        for attribute in shape.required:
            if attribute not in values and attribute not in wrong:
                self._wrong(f"{path}.{attribute}", _("is missing"))
        for attribute, is_right, reason in shape.checks:
            if attribute in values and not is_right(values[attribute]):
                self._wrong(f"{path}.{attribute}", reason)
        if not values.keys().isdisjoint(PARAMETERS):
            values["params"] = tuple(values.pop(name, None) for name in PARAMETERS)
        return Item(**values)


def _is_shallow(value: object, depth: int) -> bool:
    """Return whether a value that goes out again is nested no deeper than any writer can write it."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return True
    return depth > 0 and all(_is_shallow(child, depth - 1) for child in value)
