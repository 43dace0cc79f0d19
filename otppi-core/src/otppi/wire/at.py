"""Owns the AT dialogue with one modem: bytes in, prompts, replies and URCs out; no I/O, no clock.

Write what ``command``, ``payload``, ``cancel`` and ``probe`` return; give what was read to ``receive_data``; then call
``next_event`` until it returns None. One command is outstanding at a time (modems.md item 8).

A command that was given up, by ``abandon`` after a time-out or by ``cancel``, may still be answered. Until it is
certain that its final result cannot be taken for another one's, ``synchronised`` is False and ``command`` refuses.
To get into step again read until the line has been quiet for a moment, write ``probe()``, and wait for its ``Reply``:
only the final result behind the probe's own information line makes one. If none comes in time, write ``probe()``
again. For a modem that answers no probe ``resynchronised`` takes the caller's word. What comes in between is told as
``Urc`` and ``Noise`` (a late ``+CMGS: 17`` is one: it proves that the message did go out).

While ``in_doubt`` a text is open whose end may be lost: call ``line_was_silent`` when nothing came for a moment.
"""

import re
from collections import deque

from otppi.wire.at_command import REPLY_LIMIT, OutstandingCommand
from otppi.wire.at_events import Event, FinalResult, Noise, Prompt, Reply, ResultKind, Urc
from otppi.wire.at_open import TEXT_LIMIT, OpenText, Owner
from otppi.wire.at_tables import (
    CALL_RESULTS,
    ERROR_NAMES,
    FINAL_LINES,
    PROBES,
    QUOTED_URC,
    REPLIES_WITH_BODY,
    SENT,
    TRANSITIONS,
    URC_NAMES,
    URCS_WITH_BODY,
    BodyForm,
    DialogueState,
    Step,
    body_form,
    final_result,
    is_open_quote,
    queried_prefixes,
)
from otppi.wire.errors import AtError

__all__ = [
    "REPLY_LIMIT",
    "TEXT_LIMIT",
    "URC_NAMES",
    "AtConnection",
    "DialogueState",
    "Event",
    "FinalResult",
    "Noise",
    "Prompt",
    "Reply",
    "ResultKind",
    "Urc",
]

LINE_LIMIT = 8192
"""Longest line that is kept, in octets; longer ones are dropped whole."""
EVENT_LIMIT = 4096
"""Most events that wait for ``next_event``; further URCs and noise are dropped."""

_BLANKS = bytes(range(0x21)) + b"\x7f"
_PDU = re.compile(r"[0-9A-Fa-f]+(?:,[^A-Za-z]*)?")
"""Some models write another parameter behind it, such as ``,0``."""
_SHORTEST_TPDU = 26
"""Digits of an SMS-DELIVER without text (3GPP TS 23.040 9.2.2.1)."""
_COMMAND = re.compile(r"[ -~]+")
_PROMPT = b"\r\n> "
_ACCEPTED = re.compile(rb"\r\n(\+CMGS: *\d{1,3})\r\n\r\nOK\r\n")
_CTRL_Z = b"\x1a"
_ESC = b"\x1b"


class AtConnection:
    """The host's side of an AT dialogue in PDU mode.

    Args:
        urcs: Names of the URCs that the modem may send at any time, such as ``+CMTI``.

    Attributes:
        echoes: How many commands and PDUs were echoed: a modem that was told not to (ATE0) has restarted.
        lines_dropped: How many lines were dropped because a limit was reached.
    """

    def __init__(self, urcs: frozenset[str] = URC_NAMES) -> None:
        self._urcs = urcs
        self._state = DialogueState.IDLE
        self._command: OutstandingCommand | None = None
        self._probes = 0
        self._events: deque[Event] = deque()
        self.lines_dropped = 0
        self.echoes = 0
        self._tail = b""  # the beginning of a line whose end has not come
        self._after_cr = False  # a line feed that comes next belongs to the last line's end
        self._overlong = False  # the line that is coming is dropped
        self._open: OpenText | None = None
        self._owner: Owner | None = None  # a line that waits for its PDU

    @property
    def state(self) -> DialogueState:
        """Where the dialogue stands."""
        return self._state

    @property
    def synchronised(self) -> bool:
        """Whether the next final result is known to be the outstanding command's."""
        return self._state not in (DialogueState.STALE, DialogueState.PROBING)

    @property
    def in_doubt(self) -> bool:
        """Whether a text is open."""
        return self._open is not None

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
        self._command = OutstandingCommand(line.strip(), info, body_lines)
        return line.encode("ascii") + b"\r"

    def payload(self, pdu_hex: str) -> bytes:
        """Answer a ``Prompt``: the PDU as hexadecimal digits, and Ctrl-Z (27.005 3.5.1).

        Raises:
            AtError: No prompt waits for it, or it is no octets in hexadecimal.
        """
        if not _is_hex(pdu_hex):
            msg = "a PDU is written in hexadecimal digits"
            raise AtError(msg)
        self._advance(Step.PAYLOAD)
        if self._tail == b" " and self._open is None:
            self._tail = b""  # the blank of the prompt is no line
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
        lines = self._command.lines if self._command is not None else ()
        self._command = None
        if self._open is not None:
            self._close(len(self._open.lines))
        self._release_owner()
        return tuple(lines)

    def probe(self) -> bytes:
        """Begin a harmless query whose ``Reply`` proves that both sides are in step again.

        Raises:
            AtError: The connection is in step.
        """
        self._advance(Step.PROBE)
        line, prefix = PROBES[self._probes % len(PROBES)]
        self._probes += 1
        self._command = OutstandingCommand(line, (prefix,), proven=False)
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
        if self._take_usual(data):
            self._after_cr = False
            return
        self._after_cr = data.endswith(b"\r")
        data = self._tail + data
        lines = data.splitlines()  # of bytes: at CR, LF and CR LF, and nowhere else
        self._tail = b"" if data.endswith((b"\r", b"\n")) else lines.pop()
        if self._overlong and lines:
            self._overlong = False
            self.lines_dropped += 1
            del lines[0]
        for line in lines:
            if len(line) > LINE_LIMIT:
                self.lines_dropped += 1
            elif line or self._open is not None:  # every answer begins with an empty line
                self._line(line)
        if self._overlong or len(self._tail) > LINE_LIMIT:
            self._overlong, self._tail = True, b""
        if self._state is DialogueState.ARMED and self._open is None:
            self._tail = self._seek_prompt(self._tail)

    def _take_usual(self, data: bytes) -> bool:
        """Take the prompt or the reply of a message where it comes as nearly each does; else do nothing.

        The next step of the message waits for it, or the next message, and to take it apart line by line takes five
        times as long.
        """
        if self._tail or self._overlong or self._open is not None or self._owner is not None:
            return False
        command = self._command
        if data == _PROMPT and self._state is DialogueState.ARMED:
            self._tail = self._seek_prompt(data)
        elif self._state is DialogueState.REPLY and command is not None and (usual := _ACCEPTED.fullmatch(data)):
            self._store(command, usual[1].decode("ascii"))
            self._finish(command, FINAL_LINES["OK"])
        else:
            return False
        return True

    def line_was_silent(self) -> None:
        """Take note that the line has been silent, so that a text that is open does not go on: its end is lost."""
        if self._open is not None:
            self._close(self._open.settled())
        if self._state is DialogueState.ARMED:
            self._tail = self._seek_prompt(self._tail)

    def next_event(self) -> Event | None:
        """Return what happened next, or None if more bytes are needed."""
        return self._events.popleft() if self._events else None

    def _line(self, raw: bytes) -> None:
        """Take one whole line."""
        line = raw.strip(_BLANKS).decode("utf-8", "replace")
        if self._open is not None and not self._outlives(self._open, line):
            own = self._open.feed(raw, doubtful=self._may_be_final(line))
            if own is not None:
                self._close(own)
            return
        if self._state is DialogueState.ARMED:
            line = self._seek_prompt(raw).strip(_BLANKS).decode("utf-8", "replace")
        if not line:
            return
        command = self._command
        if command is not None and line == command.echo:
            command.echo = ""
            self.echoes += 1
        elif self._owner is not None and self._is_owned(self._owner, line):
            self._give_body(self._owner, line)
        elif line.startswith(QUOTED_URC) and is_open_quote(line):
            self._open = OpenText(line)
        else:
            self._sort(line)

    def _outlives(self, text: OpenText, line: str) -> bool:
        """Return whether ``line`` cannot be a line of the text that is open; if so that ends, unless it may go on."""
        name, colon, _ = line.partition(":")
        command = self._command
        if line.startswith(SENT) or (colon and name in ERROR_NAMES):
            self._close(len(text.lines))  # what may have been the final result was none: this is
        elif command is not None and command.is_named_by(line):
            self._close(len(text.lines))
        elif name in self._urcs and (colon or text.owner is None) and not self._may_be_final(line):
            if text.owner is None or body_form(name, line, URCS_WITH_BODY) is not BodyForm.NONE:
                self._close(text.settled())
        elif command is not None and line and line == command.echo:
            self._close(text.settled())
        else:
            return False
        return True

    def _may_be_final(self, line: str) -> bool:
        """Return whether ``line`` may be what the outstanding command ends with, or the prompt that it waits for."""
        if self._state is DialogueState.ARMED and line == ">":
            return True
        return self._command is not None and self._command.ends_with(line) is not None

    def _close(self, own: int) -> None:
        """End the text that is open with ``own`` of the lines that came since; the others were none of its."""
        text, self._open = self._open, None
        if text is None:
            return
        if text.owner is None:
            self._sort(text.text(own))
        elif own:
            self._give_body(text.owner, text.lines[0].decode("utf-8", "replace"))
        else:
            self._give_up(text.owner)
        for line in text.lines[own:]:
            self._line(line)

    def _sort(self, line: str) -> None:
        """Decide whose line it is: the command's by its prefixes, a URC by the table, a final result, or the rest."""
        command, name = self._command, line.partition(":")[0]
        if command is not None and (command.info or command.body_lines) and command.asked_for(name, line):
            command.proven = True
            self._keep(command, name, line)
            return
        if name in self._urcs and not (command is not None and command.calls and name in CALL_RESULTS):
            self._urc(name, line)
            return
        result = command.ends_with(line) if command is not None else None
        if self._owner is not None and (result is not None or final_result(line) is not None):
            self._release_owner()  # its PDU is not coming; only lines that no table knows may come before it
        if command is None or not command.proven:
            self._tell(Noise(line))
        elif result is None:
            self._store(command, line)
        else:
            self._finish(command, result)

    def _finish(self, command: OutstandingCommand, result: FinalResult) -> None:
        self._advance(Step.FINAL)
        self._command = None
        self._events.append(Reply(result, tuple(command.lines)))

    def _keep(self, command: OutstandingCommand, name: str, line: str) -> None:
        """Keep an information line of the outstanding command."""
        self._release_owner()
        self._store(command, line)
        if command.body_lines:
            self._await_body(name, line, is_urc=False)

    def _store(self, command: OutstandingCommand, line: str) -> None:
        self.lines_dropped += not command.append(line)

    def _urc(self, name: str, line: str) -> None:
        """Tell of a URC, at once or when the line it owns has come."""
        if name not in URCS_WITH_BODY:
            self._tell(Urc(name, line))
            return
        self._release_owner()
        if not self._await_body(name, line, is_urc=True):
            self._tell(Urc(name, line))

    def _await_body(self, name: str, line: str, *, is_urc: bool) -> bool:
        """Return whether ``line`` owns the next one, and if so wait for that."""
        form = body_form(name, line, URCS_WITH_BODY if is_urc else REPLIES_WITH_BODY)
        if form is BodyForm.NONE:
            return False
        owner = Owner(name, line, form, is_urc)
        if form is BodyForm.TEXT:
            self._open = OpenText("", owner)
        else:
            self._owner = owner
        return True

    def _is_owned(self, owner: Owner, line: str) -> bool:
        """Tell whether ``line`` is the PDU that ``owner`` waits for, and not a number that was asked for (AT+CGSN)."""
        asked = owner.is_urc and self._command is not None
        return _PDU.fullmatch(line) is not None and not (asked and len(line) < _SHORTEST_TPDU)

    def _give_body(self, owner: Owner, body: str) -> None:
        """Give the line that came to the line that owns it."""
        self._owner = None
        if owner.is_urc:
            self._tell(Urc(owner.name, owner.line, body))
        elif self._command is not None:
            self._store(self._command, body)

    def _release_owner(self) -> None:
        """Stop waiting for a PDU."""
        owner, self._owner = self._owner, None
        if owner is not None:
            self._give_up(owner)

    def _give_up(self, owner: Owner) -> None:
        """Tell a URC without the line that it owns; a line of a reply is kept already."""
        if owner.is_urc:
            self._tell(Urc(owner.name, owner.line))

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
            self.lines_dropped += 1

    def _advance(self, step: Step) -> None:
        """Move by the table of states."""
        state = TRANSITIONS[self._state].get(step)
        if state is None:
            msg = f"{step.value} is out of order: the connection is {self._state.value}"
            raise AtError(msg)
        self._state = state


def _is_hex(text: str) -> bool:
    """Return whether a text is octets in hexadecimal, with nothing between them."""
    try:
        return 0 < 2 * len(bytes.fromhex(text)) == len(text)
    except ValueError:
        return False
