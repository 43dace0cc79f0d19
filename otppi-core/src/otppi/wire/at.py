"""Owns the AT dialogue with one modem: bytes in, prompts, replies and URCs out; no I/O, no clock.

Write what ``command``, ``payload``, ``cancel`` and ``probe`` return; give what was read to ``receive_data``; then call
``next_event`` until it returns None. One command is outstanding at a time (modems.md item 8).

A command that was given up, by ``abandon`` after a time-out or by ``cancel``, may still be answered. Until it is
certain that its final result cannot be taken for another one's, ``synchronised`` is False and ``command`` refuses.
To get into step again read until the line has been quiet for a moment, write ``probe()``, and wait for its ``Reply``:
only the final result behind the probe's own information line makes one. If none comes in time, write ``probe()``
again. For a modem that answers no probe ``resynchronised`` takes the caller's word. What comes in between is told as
``Urc`` and ``Noise`` (a late ``+CMGS: 17`` is one: it proves that the message did go out).
"""

import re
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from otppi.wire.at_events import Event, FinalResult, Noise, Prompt, Reply, ResultKind, Urc
from otppi.wire.at_tables import (
    CALL_COMMANDS,
    CALL_RESULTS,
    PROBES,
    QUOTED_URC,
    REPLIES_WITH_BODY,
    TRANSITIONS,
    URC_NAMES,
    URCS_WITH_BODY,
    BodyForm,
    State,
    Step,
    body_form,
    final_result,
    is_open_quote,
    queried_prefixes,
)
from otppi.wire.errors import AtError

__all__ = [
    "URC_NAMES",
    "AtConnection",
    "Event",
    "FinalResult",
    "Noise",
    "Prompt",
    "Reply",
    "ResultKind",
    "State",
    "Urc",
]

LINE_LIMIT = 8192
"""Longest line that is kept, in octets; longer ones are dropped whole."""
TEXT_LIMIT = 4096
"""Longest +CUSD text, in characters, that is waited for; then it is told as it is."""
REPLY_LIMIT = 1 << 18
"""Most that one reply keeps, in characters and 64 for each line; further lines are dropped."""
EVENT_LIMIT = 4096
"""Most events that wait for ``next_event``; further URCs and noise are dropped."""

_LINE_COST = 64
_LINE_END = re.compile(rb"\r\n|\r|\n")
_BLANKS = bytes(range(0x21)) + b"\x7f"
_HEX = re.compile(r"[0-9A-Fa-f]+")
_COMMAND = re.compile(r"[ -~]+")
_CTRL_Z = b"\x1a"
_ESC = b"\x1b"


@dataclass(slots=True)
class _Command:
    """The outstanding command."""

    echo: str = field(repr=False)
    info: tuple[str, ...]
    body_lines: bool = False
    calls: bool = False
    proven: bool = True
    lines: list[str] = field(default_factory=list, repr=False)
    size: int = 0


class _Owner(NamedTuple):
    """A line that waits for the one it owns."""

    name: str
    line: str
    form: BodyForm
    is_urc: bool


class AtConnection:
    """The host's side of an AT dialogue in PDU mode.

    Args:
        urcs: Names of the URCs that the modem may send at any time, such as ``+CMTI``.
    """

    def __init__(self, urcs: frozenset[str] = URC_NAMES) -> None:
        self._urcs = urcs
        self._state = State.IDLE
        self._command: _Command | None = None
        self._probes = 0
        self._events: deque[Event] = deque()
        self._lost = 0
        self._tail = b""  # the beginning of a line whose end has not come
        self._after_cr = False  # a line feed that comes next belongs to the last line's end
        self._overlong = False  # the line that is coming is dropped
        self._text: str | None = None  # a +CUSD whose closing quote has not come
        self._owner: _Owner | None = None

    @property
    def state(self) -> State:
        """Where the dialogue stands."""
        return self._state

    @property
    def synchronised(self) -> bool:
        """Whether the next final result is known to be the outstanding command's."""
        return self._state not in (State.STALE, State.PROBING)

    @property
    def lost(self) -> int:
        """How many lines were dropped because a limit was reached."""
        return self._lost

    # What the host says

    def command(
        self,
        line: str,
        *,
        info_prefixes: tuple[str, ...] | None = None,
        expects_prompt: bool = False,
        body_lines: bool = False,
    ) -> bytes:
        """Begin a command.

        Args:
            line: The command line without its end, such as ``AT+CSQ``.
            info_prefixes: How its own information lines begin, where the URC table names them too. By default
                those of the queries in the line: ``+CREG:`` for ``AT+CREG?``.
            expects_prompt: Whether the modem answers with a prompt, as to +CMGS and +CMGW.
            body_lines: Whether each +CMGL or +CMGR line owns the next one.

        Returns:
            The bytes to write.

        Raises:
            AtError: A command is outstanding, the connection is out of step, or the line is not printable ASCII.
        """
        if not _COMMAND.fullmatch(line):
            msg = "a command line is printable ASCII"
            raise AtError(msg)
        self._advance(Step.PROMPTING_COMMAND if expects_prompt else Step.COMMAND)
        if expects_prompt and self._tail.lstrip(_BLANKS).startswith(b">"):
            self._tail = b""  # a prompt that came before the command is not this command's
        info = queried_prefixes(line) if info_prefixes is None else info_prefixes
        self._command = _Command(line.strip(), info, body_lines, line.upper().startswith(CALL_COMMANDS))
        return line.encode("ascii") + b"\r"

    def payload(self, pdu_hex: str) -> bytes:
        """Answer a ``Prompt``: the PDU as hexadecimal digits, and Ctrl-Z (27.005 3.5.1).

        Raises:
            AtError: No prompt waits for it, or it is not hexadecimal.
        """
        if not _HEX.fullmatch(pdu_hex):
            msg = "a PDU is written in hexadecimal digits"
            raise AtError(msg)
        self._advance(Step.PAYLOAD)
        if self._command is not None:
            self._command.echo = pdu_hex
        return pdu_hex.encode("ascii") + _CTRL_Z

    def cancel(self) -> bytes:
        """Leave the prompt, or make sure that there is none, before anything else is written (modems.md item 5).

        Ends the outstanding command, if any; like ``abandon`` it leaves the connection out of step, since some
        modems answer ESC with a final result and some do not.
        """
        self.abandon()
        return _ESC + b"\r"

    def abandon(self) -> tuple[str, ...]:
        """Give up the outstanding command; its final result is dropped if it still comes.

        Returns:
            The lines that it had said: some modems forget the OK (+CPIN?, modems.md item 9).
        """
        self._advance(Step.GIVE_UP)
        if self._text is not None:  # its closing quote is lost
            text, self._text = self._text, None
            self._sort(text)
        self._release_owner()
        lines = self._command.lines if self._command is not None else ()
        self._command = None
        return tuple(lines)

    def probe(self) -> bytes:
        """Begin a harmless query whose ``Reply`` proves that both sides are in step again.

        Raises:
            AtError: The connection is in step.
        """
        self._advance(Step.PROBE)
        line, prefix = PROBES[self._probes % len(PROBES)]
        self._probes += 1
        self._command = _Command(line, (prefix,), proven=False)
        return line.encode("ascii") + b"\r"

    def resynchronised(self) -> None:
        """Declare that nothing of an abandoned command can come any more.

        Raises:
            AtError: A command is outstanding.
        """
        self._advance(Step.RESYNCHRONISED)
        self._command = None

    # What the modem says

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the modem, in pieces of any size; they never raise."""
        data = data.replace(b"\0", b"")
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
            self._after_cr = False
        if not data:
            return
        self._after_cr = data.endswith(b"\r")
        *lines, tail = _LINE_END.split(self._tail + data)
        for line in lines:
            if self._overlong or len(line) > LINE_LIMIT:
                self._overlong = False
                self._lost += 1
            else:
                self._line(line)
        self._overlong = self._overlong or len(tail) > LINE_LIMIT
        self._tail = b"" if self._overlong else tail
        if self._state is State.ARMED and self._text is None and not self._awaits_text:
            self._tail = self._seek_prompt(self._tail)

    def next_event(self) -> Event | None:
        """Return what happened next, or None if more bytes are needed."""
        return self._events.popleft() if self._events else None

    def _line(self, raw: bytes) -> None:
        """Take one whole line."""
        if self._text is not None:
            self._more_text(raw)
            return
        if not raw:  # every answer begins with an empty line
            return
        owner = self._owner
        if owner is not None and owner.form is BodyForm.TEXT and raw.strip(_BLANKS):
            self._give_body(owner, raw.decode("utf-8", "replace"))
            return
        if self._state is State.ARMED:
            raw = self._seek_prompt(raw)
        line = raw.strip(_BLANKS).decode("utf-8", "replace")
        if not line:
            return
        command = self._command
        if command is not None and line == command.echo:
            command.echo = ""
        elif owner is not None and _HEX.fullmatch(line):
            self._give_body(owner, line)
        elif line.startswith(QUOTED_URC) and is_open_quote(line):
            self._text = line
        else:
            self._sort(line)

    def _sort(self, line: str) -> None:
        """Decide whose line it is: the command's by its prefixes, a URC by the table, a final result, or the rest."""
        command = self._command
        if command is not None and line.startswith(command.info):
            command.proven = True
            self._keep(command, line)
            return
        name = line.partition(":")[0]
        if name in self._urcs and not (command is not None and command.calls and name in CALL_RESULTS):
            self._urc(name, line)
            return
        self._release_owner()  # the line it waited for is not coming
        if command is None or not command.proven:
            self._tell(Noise(line))
            return
        result = final_result(line, calls=command.calls)
        if result is None:
            self._keep(command, line)
        else:
            self._advance(Step.FINAL)
            self._command = None
            self._events.append(Reply(result, tuple(command.lines)))

    def _keep(self, command: _Command, line: str) -> None:
        """Keep an information line of the outstanding command."""
        self._release_owner()
        self._store(command, line)
        if command.body_lines:
            self._await_body(line.partition(":")[0], line, is_urc=False)

    def _store(self, command: _Command, line: str) -> None:
        command.echo = ""  # an echo comes first or not at all
        cost = len(line) + _LINE_COST
        if command.size + cost > REPLY_LIMIT:
            self._lost += 1
        else:
            command.lines.append(line)
            command.size += cost

    def _urc(self, name: str, line: str) -> None:
        """Tell of a URC, at once or when the line it owns has come."""
        if name not in URCS_WITH_BODY:
            self._tell(Urc(name, line))
            return
        self._release_owner()
        if not self._await_body(name, line, is_urc=True):
            self._tell(Urc(name, line))

    def _await_body(self, name: str, line: str, *, is_urc: bool) -> bool:
        """Tell whether ``line`` owns the next one, and if so wait for that."""
        form = body_form(name, line, URCS_WITH_BODY if is_urc else REPLIES_WITH_BODY)
        if form is BodyForm.NONE:
            return False
        self._owner = _Owner(name, line, form, is_urc)
        return True

    def _give_body(self, owner: _Owner, body: str) -> None:
        """Give the line that came to the line that owns it."""
        self._owner = None
        if owner.is_urc:
            self._tell(Urc(owner.name, owner.line, body))
        elif self._command is not None:
            self._store(self._command, body)

    def _release_owner(self) -> None:
        """Stop waiting for an owned line; a URC is told without it."""
        owner, self._owner = self._owner, None
        if owner is not None and owner.is_urc:
            self._tell(Urc(owner.name, owner.line))

    @property
    def _awaits_text(self) -> bool:
        return self._owner is not None and self._owner.form is BodyForm.TEXT

    def _more_text(self, raw: bytes) -> None:
        """Take a further line of a +CUSD text; it is text even if it reads "OK"."""
        text = f"{self._text}\n{raw.decode('utf-8', 'replace').rstrip()}"
        if is_open_quote(text) and len(text) <= TEXT_LIMIT:
            self._text = text
        else:
            self._text = None
            self._sort(text)

    def _seek_prompt(self, raw: bytes) -> bytes:
        """Take a prompt from the beginning of a line: it has no end of its own (modems.md item 3)."""
        rest = raw.lstrip(_BLANKS)
        if not rest.startswith(b">"):
            return raw
        self._advance(Step.PROMPT)
        self._events.append(Prompt())
        return rest[1:]

    def _tell(self, event: Urc | Noise) -> None:
        if len(self._events) < EVENT_LIMIT:
            self._events.append(event)
        else:
            self._lost += 1

    def _advance(self, step: Step) -> None:
        """Move by the table of states."""
        state = TRANSITIONS[self._state].get(step)
        if state is None:
            msg = f"{step.value} is out of order: the connection is {self._state.value}"
            raise AtError(msg)
        self._state = state
