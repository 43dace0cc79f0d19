"""What comes to a modem: told on the line or found in its memories, handed on, and deleted once somebody has it."""

import logging
import os
import re
import time
from collections import deque
from dataclasses import replace

from otppi.api.events import DeliveryReport, InboundPart, ModemEvents
from otppi.api.modem import ModemIdentity
from otppi.kit.at import stored as at_stored
from otppi.kit.at.channel import AtChannel, AtRefused, AtTimeout
from otppi.kit.at.chores import NEVER
from otppi.kit.at.inbound import read_inbound
from otppi.kit.at.start import Profile
from otppi.kit.at.stored import Stored
from otppi.wire.at import Noise, Urc

logger = logging.getLogger(__name__)

_POLL_EVERY = 60.0
"""Seconds between two looks into the memories: what modems tell of them is not to be relied on (modems.md 17, 19)."""
_REST = 1.0
"""After something was announced that was not there, the next is looked at so much later."""
_SOON = 0.02
"""A report that was told on the line is looked at while the network has the next message, or this much later."""
_LIST_TIMEOUT = 20.0
_READ_TIMEOUT = 10.0
_ROOM_TIME = 10.0
_CLEAR_TIME = 60.0
"""A person waits for it; what is left then needs another go."""
_MOST_ROUTED = 1000
_MOST_PLACES = 1000
"""Places that are remembered to be looked at; where more are announced, their memory is listed instead."""
_MOST_UNHELD = 50
_CAPACITY = 30
"""Places of a memory that does not tell how many it has."""
_INVALID_INDEX = 321
_ROUTED = ("+CDS", "+CMT")
_STORED = ("+CMTI", "+CDSI")
_FULL = ("^SMMEMFULL", "SMS FULL")
_OWN_MEMORIES = ("SM", "ME", "TA", "SR")
"""Those that are read; MT is several of them together, and BM holds cell broadcasts (3GPP TS 27.005 3.1)."""

_INDICATION = re.compile(r'\+C(?:MT|DS)I: *"?([A-Za-z_]{1,8})"? *, *(\d{1,5})(?!\d)')
_USED = re.compile(r"\+CPMS: *(\d{1,5}) *, *(\d{1,5})(?!\d)")
_MEMORY = re.compile(r"[A-Za-z_]{1,8}")
"""Between quotes, one of which may be lost."""


class AtInbox:
    """Hands on what comes in, one bounded piece at a time, and never deletes what nobody holds (modems.md 17-20).

    Attributes:
        freed: how many places of the memories were freed.
        full: the memories that are full, and how many places they have (any thread may read it).
    """

    def __init__(self, events: ModemEvents, profile: Profile) -> None:
        self.due = NEVER
        self.freed = 0
        self.full: tuple[tuple[str, int], ...] = ()
        self._events = events
        self._profile = profile
        self._routed: deque[tuple[str, str, str]] = deque(maxlen=_MOST_ROUTED)
        self._unheld: deque[tuple[str, str, str]] = deque()
        self._offers: dict[tuple[str, int], tuple[str, str]] = {}  # by place: the PDU, and how its offers are named
        self._warned: set[str] = set()
        self._places: dict[tuple[str, int], Stored] = {}
        self._scans: dict[str, None] = {}
        self._memories: tuple[str, ...] = ()
        self._selected = ""
        self._capacity = _CAPACITY
        self._lists = True
        self._acknowledges = False
        self._next_poll = NEVER
        self._rest_until = 0.0
        self._heard = 0

    # -- the chore --------------------------------------------------------------------------------------------------

    def opened(self, channel: AtChannel, identity: ModemIdentity) -> None:  # noqa: ARG002 - it makes no difference
        """Choose how and where messages come in; the first look into the memories is due at once."""
        # Without +CSMS=1 the modem itself acknowledges what it routes; some cannot do without (modems.md 20).
        channel.attempt("AT+CSMS=0")
        service = re.search(r"\+CSMS: *(\d+)", "\n".join(channel.attempt("AT+CSMS?") or ()))
        self._acknowledges = bool(service and service[1] == "1")
        any(channel.attempt(line) is not None for line in self._profile.cnmi)
        self._lists = True
        self._choose_memory(channel)
        self._next_poll = time.monotonic()
        self._plan()

    def heard(self, event: Urc | Noise) -> bool:
        """Keep what was routed to the line, or where it is, for later."""
        self._heard += 1
        if isinstance(event, Noise):
            if at_stored.is_pdu(event.line):  # its header was garbled, or its command was given up
                self._warn_once("PDU", "a PDU came that belongs to nothing: if it was not stored, it is lost")
            return False
        name = event.name
        if name in _ROUTED:
            if event.body:
                self._routed.append((event.line, event.body, ""))
            if not event.body or len(self._routed) == _MOST_ROUTED:
                self._warn_once(name, "a message or report that the modem told on the line is lost")
            self.due = min(self.due, time.monotonic() + (0.0 if self._acknowledges else _SOON))
        elif name in _STORED:
            found = _INDICATION.match(event.line)
            if found is None or len(self._places) >= _MOST_PLACES:
                self._scans |= dict.fromkeys(self._memories)
            else:
                self._places.setdefault((found[1], int(found[2])), Stored(announced=True))
            self._plan()
        elif name in _FULL:
            self._scans |= dict.fromkeys(self._memories)
            self._plan()
        else:
            return False
        return True

    def work(self, channel: AtChannel) -> None:
        """Look at what was routed, or at one place of a memory, or list one memory."""
        if self._routed:
            self._take_routed()
            self._acknowledge(channel)
        elif self._places:
            (memory, index), stored = next(iter(self._places.items()))
            del self._places[memory, index]
            self._take_stored(channel, memory, index, stored)
        elif self._scans:
            memory = next(iter(self._scans))
            del self._scans[memory]
            self._scan(channel, memory)
        else:
            self._next_poll = time.monotonic() + _POLL_EVERY
            self._scans = dict.fromkeys(self._memories)
            self._routed.extend(self._unheld)
            self._unheld.clear()
        self._plan()

    def closed(self) -> None:
        """Forget what is in the memories, it stays there; what was routed is nowhere else."""
        self._places, self._scans = {}, {}
        self._acknowledges = False
        self._warned.clear()
        self.due = self._next_poll = NEVER

    # -- for the driver ---------------------------------------------------------------------------------------------

    def meanwhile(self) -> None:
        """Look at what was routed while the modem is waited for, where that takes no command."""
        if self._routed and not self._acknowledges:
            self._take_routed()
            self._plan()

    def make_room(self, channel: AtChannel) -> bool:
        """Free at least one place of the memories, which are full; False where nothing in them may be deleted.

        Raises:
            ModemLost: The modem cannot be used any more.
            AtTimeout: It does not answer.
        """
        before, until = self.freed, time.monotonic() + _ROOM_TIME
        self._scans |= dict.fromkeys(self._memories)
        while self.freed == before and (self._routed or self._places or self._scans) and time.monotonic() < until:
            if not channel.synchronised:
                channel.synchronise()
            self.work(channel)
        return self.freed > before

    def clear_to_be_sent(self, channel: AtChannel) -> int:
        """Delete what other programs have left to be sent in the memories, or had sent from there; return how many.

        What came in stays, and goes to the inbox.

        Raises:
            ModemLost: The modem cannot be used any more.
            AtTimeout: It does not answer.
        """
        cleared, until = 0, time.monotonic() + _CLEAR_TIME
        for memory in self._memories:
            if not self._select(channel, memory):
                continue
            for index, listed in self._everything(channel).items():
                if time.monotonic() > until:
                    break
                stored = listed if listed.is_there else _read(channel, index)
                if stored and stored.is_to_be_sent and channel.attempt(f"AT+CMGD={index}") is not None:
                    cleared += 1
            self._scans[memory] = None  # it tells how full it is now
        self._plan()
        return cleared

    def _everything(self, channel: AtChannel) -> dict[int, Stored]:
        """List the memory that is selected; where +CMGL does not work, name each place, to be read by itself."""
        try:
            return self._list(channel)
        except AtRefused:
            return dict.fromkeys(range(self._capacity + 1), Stored())

    # -- in pieces --------------------------------------------------------------------------------------------------

    def _plan(self) -> None:
        waits = self._routed or self._places or self._scans
        now = time.monotonic()
        self.due = min(max(now, self._rest_until), max(now, self._next_poll)) if waits else self._next_poll

    def _hand_on(self, came: InboundPart | DeliveryReport, offer: str) -> bool:
        """Tell whoever it is for; whether it may be deleted."""
        if isinstance(came, DeliveryReport):
            self._events.reported(came)
            return True
        if came.damaged:
            logger.warning("a message that is damaged is handed on as far as it can be read")
        return self._events.received(replace(came, offer=offer))

    def _offer(self, memory: str, index: int, pdu: str) -> str:
        """Name what lies in a place; the name stays until something else lies there, or it was deleted."""
        before, name = self._offers.get((memory, index), ("", ""))
        if before != pdu:
            name = _new_name()
            if len(self._offers) >= _MOST_PLACES:
                del self._offers[next(iter(self._offers))]
            self._offers[memory, index] = pdu, name
        return name

    def _warn_once(self, what: str, warning: str) -> None:
        """Say it the first time since the modem was opened: it may be so each minute."""
        if what not in self._warned:
            self._warned.add(what)
            logger.warning("%s", warning)

    def _take_routed(self) -> None:
        """Hand on what came on the line; what nobody holds is offered again later, for it is in no memory."""
        while self._routed:
            header, pdu, offer = self._routed.popleft()
            came = read_inbound(header, pdu)
            if isinstance(came, InboundPart):  # a status report needs no name, and most that comes is one
                offer = offer or _new_name()
            if self._hand_on(came, offer):
                continue
            if len(self._unheld) < _MOST_UNHELD:
                self._unheld.append((header, pdu, offer))
            else:
                logger.warning("a message that the modem does not store is lost: the inbox has no room")

    def _acknowledge(self, channel: AtChannel) -> None:
        if self._acknowledges:
            channel.attempt("AT+CNMA")  # refused where it came too late, or was offered a second time

    def _take_stored(self, channel: AtChannel, memory: str, index: int, stored: Stored) -> None:
        """Read a message unless it was listed, hand it on, and delete it if somebody holds it.

        What was listed and makes no sense is read by itself before it is given away and deleted: in a long list the
        line may have lost a byte, or another line stood in its place. Where the answer has no PDU, and something came
        between its lines, that may have taken the PDU for its own: what is left is not this message, and the place is
        looked at again with the next poll.
        """
        if not self._select(channel, memory):
            return
        listed, announced, certain = stored.is_there, stored.announced, _is_certain(stored)
        if not certain:
            heard = self._heard
            read = _read(channel, index)
            if read is not None and self._heard > heard and not at_stored.is_pdu(read.pdu):
                return
            if announced and read is None:  # some announce the same again and again, even in the answer to this
                self._rest_until = time.monotonic() + _REST
            stored, certain = read or stored, read is not None
        came = stored.came()
        if not stored.pdu:
            self._offers.pop((memory, index), None)
            if stored.is_there:
                self._warn_once(memory, f"what is stored in {memory} {index} cannot be read: it stays there")
        if came is None or not self._hand_on(came, self._offer(memory, index, stored.pdu)):
            return
        if certain and channel.attempt(f"AT+CMGD={index}") is not None:
            self.freed += 1
            self._offers.pop((memory, index), None)
            if listed:
                self._scans[memory] = None  # +CMGL may have left some out, and there may be room for more now

    def _scan(self, channel: AtChannel, memory: str) -> None:
        """List a memory; where +CMGL does not work every place is read by itself (modems.md 18)."""
        if not self._select(channel, memory, anew=True):
            return
        if self._lists:
            try:
                found = self._list(channel)
                self._places |= {(memory, index): stored for index, stored in found.items()}
                self._tell_if_full(memory, found)
            except (AtRefused, AtTimeout):
                logger.info("AT+CMGL does not work: messages are read one by one")
                self._lists = False
        if not self._lists:
            self._places = {(memory, index): Stored() for index in range(self._capacity + 1)} | self._places

    def _list(self, channel: AtChannel) -> dict[int, Stored]:
        try:
            lines = channel.command("AT+CMGL=4", _LIST_TIMEOUT, body_lines=True)
        except AtRefused as error:
            if error.result.code == _INVALID_INDEX:  # so some say that nothing is there
                return {}
            raise
        found, complete = at_stored.listed(lines)
        if not complete:
            found = {index: Stored() for index in range(self._capacity + 1)} | found
        return found

    def _tell_if_full(self, memory: str, found: dict[int, Stored]) -> None:
        """Warn of what no inbox can empty: messages to be sent, which other programs have left there."""
        if memory in dict(self.full) and all(stored.is_to_be_sent for stored in found.values()):
            self._warn_once(f"full {memory}", f"the memory {memory} of the modem is full of messages to be sent")

    # -- memories ---------------------------------------------------------------------------------------------------

    def _choose_memory(self, channel: AtChannel) -> None:
        """Let messages come to the memory that the profile likes best; all that are there are read (modems.md 18)."""
        answer = "\n".join(channel.attempt("AT+CPMS=?") or ())
        told = answer.partition("+CPMS:")[2] or answer
        group = re.search(r"\(([^)]*)\)", told)
        known = _MEMORY.findall(group[1] if group else told)
        self._selected = ""
        for name in self._profile.memories:
            if name in known or not known:
                lines = channel.attempt(f'AT+CPMS="{name}","{name}","{name}"')
                if lines is not None:
                    self._note_selected(name, lines)
                    known = known or [name]
                    break
        own = tuple(dict.fromkeys(name for name in known if name in _OWN_MEMORIES))
        self._memories = own or tuple(known[:1]) or ("",)

    def _select(self, channel: AtChannel, memory: str, *, anew: bool = False) -> bool:
        """Make a memory the one that is read; False where the modem refuses it. Its own choice is the empty one.

        With `anew` also where it is that: the answer tells how full it is.
        """
        if memory and (anew or memory != self._selected):
            lines = channel.attempt(f'AT+CPMS="{memory}"')
            if lines is None:
                return False
            self._note_selected(memory, lines)
        return True

    def _note_selected(self, memory: str, lines: tuple[str, ...]) -> None:
        told = _USED.search("\n".join(lines))
        used, places = (int(told[1]), int(told[2])) if told else (0, _CAPACITY)
        self._selected, self._capacity = memory, min(places, _MOST_PLACES)
        others = tuple(one for one in self.full if one[0] != memory)
        self.full = (*others, (memory, places)) if used >= places > 0 else others


def _is_certain(stored: Stored) -> bool:
    """Whether that is the message in this place, and all of it."""
    came = stored.came()
    whole = not (isinstance(came, InboundPart) and came.damaged)
    return stored.is_there and whole and stored.fits


def _read(channel: AtChannel, index: int) -> Stored | None:
    """Read one place; None where it is empty (3GPP TS 27.005 4.2)."""
    try:
        lines = channel.command(f"AT+CMGR={index}", _READ_TIMEOUT, body_lines=True)
    except AtRefused:
        return None
    return at_stored.read(lines)


def _new_name() -> str:
    return os.urandom(8).hex()
