"""The inbox of all modems: bounded, put together from parts, in RAM or, if the administrator wants it, on the card."""

import json
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from otppi.api.events import InboundPart, MessageReceived
from otppi.api.ingress import ReceivedMessage
from otppi.host.inbox.reassembly import Assembly, digest
from otppi.host.inbox.settings import InboxValues
from otppi.host.runtime.events import EventBus
from otppi.kit.files import as_json, new_name, replace_whole
from otppi.text import _

logger = logging.getLogger(__name__)

_TICK = 2.0
_SAVE_EVERY = 5.0
_SEEN = 10_000
_HOUR = 3600.0


class Inbox:
    """Every public method may be called by any thread; `run` is the body of a thread of the inbox's own.

    Args:
        values: Section `inbox`.
        path: Where the messages are kept if they are to be kept on the card.
        events: Told of each message when it is whole, or shown without its missing parts, on the inbox's thread.
    """

    def __init__(self, values: InboxValues, path: Path, events: EventBus) -> None:
        self._values = values
        self._path = path
        self._events = events
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Assembly] = OrderedDict()
        # Parts that were seen, and whether they are as safe as the administrator wants them to be.
        self._seen: OrderedDict[bytes, bool] = OrderedDict()
        self._untold: deque[str] = deque()
        self._changed = False
        self._next_save = 0.0
        self._problem = ""
        self._wake = threading.Event()
        self._stopping = threading.Event()
        if self._on_card:
            self._load()
        else:
            self._leave_the_card_or_say_so()

    # -- the modems' threads ----------------------------------------------------------------------------------------

    def received(self, modem: str, part: InboundPart) -> bool:
        """Take a message or a part of one; True when it is held, and may be deleted from the modem's memory.

        One that is to be kept on the card is held when the card has it: the modem offers it again a minute later.
        """
        name = digest(modem, part)
        with self._lock:
            if not (part.sent or part.offer) and self._seen.get(name):
                # Nothing tells it from the one that is held: rather shown twice than deleted unread.
                del self._seen[name]
            if name not in self._seen:
                assembly = self._find(modem, part) or self._make(modem, part)
                if assembly is None:
                    return False
                assembly.add(part)
                self._see(name, held=not self._on_card)
                self._changed = True
                if not assembly.missing:
                    self._show(assembly)
            return self._seen[name]

    def _find(self, modem: str, part: InboundPart) -> Assembly | None:
        """Find the message that misses this part; of several the nearest in time."""
        if part.total == 1:
            return None
        found = [
            (away, assembly.arrived, assembly)
            for assembly in self._kept.values()
            if (assembly.modem, assembly.originator, assembly.reference, assembly.total)
            == (modem, part.originator, part.reference, part.total)
            and (away := assembly.distance(part)) is not None
        ]
        return min(found, key=lambda one: one[:2])[2] if found else None

    def _make(self, modem: str, part: InboundPart) -> Assembly | None:
        """Begin a message; the oldest ones that were read make room. None where that is not enough."""
        while len(self._kept) >= self._values["kept_messages"]:
            oldest = next((one.message_id for one in self._kept.values() if one.read), None)
            if oldest is None:
                return None
            del self._kept[oldest]
        assembly = Assembly(modem, part.originator, part.reference, part.total, part.binary, time.time())
        self._kept[assembly.message_id] = assembly
        return assembly

    def _see(self, name: bytes, *, held: bool) -> None:
        self._seen[name] = held
        if len(self._seen) > _SEEN:
            self._seen.popitem(last=False)

    def _show(self, assembly: Assembly) -> None:
        assembly.shown = self._changed = True
        self._untold.append(assembly.message_id)
        self._wake.set()

    # -- people -----------------------------------------------------------------------------------------------------

    def messages(self) -> list[ReceivedMessage]:
        """List the messages, oldest first."""
        with self._lock:
            return [one.message() for one in self._kept.values() if one.shown]

    def show(self, message_id: str) -> ReceivedMessage | None:
        """Return one message, which is read then; None where there is none."""
        with self._lock:
            assembly = self._kept.get(message_id)
            if assembly is None or not assembly.shown:
                return None
            self._changed |= not assembly.read
            assembly.read = True
            return assembly.message()

    def mark(self, message_id: str, *, read: bool) -> bool:
        """Mark a message as read or not; False where there is none."""
        if self.show(message_id) is None:
            return False
        with self._lock:
            if (assembly := self._kept.get(message_id)) is not None:
                assembly.read = read
        return True

    def delete(self, message_ids: Iterable[str]) -> int:
        """Delete messages; return how many there were."""
        with self._lock:
            deleted = sum(self._kept.pop(message_id, None) is not None for message_id in message_ids)
            self._changed |= deleted > 0
        return deleted

    def describe(self) -> dict[str, Any]:
        """Return how many messages there are, and how many of them nobody has read."""
        with self._lock:
            shown = [one for one in self._kept.values() if one.shown]
            return {
                "messages": len(shown),
                "unread": sum(not one.read for one in shown),
                "incomplete": len(self._kept) - len(shown),
            }

    def problems(self) -> list[str]:
        """Return what a person has to do something about."""
        with self._lock:
            full = len(self._kept) >= self._values["kept_messages"] and not any(one.read for one in self._kept.values())
            alarm = _("inbox: full of unread messages; new ones stay on the SIM cards until some are read or deleted")
            return ([alarm] if full else []) + ([self._problem] if self._problem else [])

    def configure(self, values: InboxValues) -> None:
        """Use other settings."""
        with self._lock:
            self._values = values
            self._changed = True
            if not self._on_card:
                self._seen = OrderedDict.fromkeys(self._seen, True)
        self._next_save = 0.0
        self._wake.set()

    # -- the inbox's thread -----------------------------------------------------------------------------------------

    def run(self) -> None:
        """Show what stays incomplete, forget what is old, tell of what is new, and save, until `stop`."""
        while not self._stopping.is_set():
            self._wake.wait(_TICK)
            self._wake.clear()
            self.tick()
        self._save()

    def stop(self) -> None:
        """End `run`, which saves."""
        self._stopping.set()
        self._wake.set()

    def tick(self) -> None:
        """Do what is due."""
        self._sweep()
        self._tell()
        if time.monotonic() >= self._next_save:
            self._save()

    def _sweep(self) -> None:
        now = time.monotonic()
        patience, age = self._values["incomplete_after"], self._values["kept_hours"] * _HOUR
        with self._lock:
            for assembly in list(self._kept.values()):
                if not assembly.shown and now - assembly.since >= patience:
                    self._show(assembly)
                if age and now - assembly.since >= age:
                    del self._kept[assembly.message_id]
                    self._changed = True

    def _tell(self) -> None:
        while self._untold:
            with self._lock:
                assembly = self._kept.get(self._untold.popleft())
                message = assembly.message() if assembly else None
            if message:
                self._events.publish(MessageReceived(message))

    # -- the card ---------------------------------------------------------------------------------------------------

    @property
    def _on_card(self) -> bool:
        return bool(self._values["retention"] == "card")

    def _save(self) -> None:
        """Write all messages, if one has changed; then those that came in since the last time are held."""
        with self._lock:
            if not self._changed:
                return
            self._changed = False
            on_card = self._on_card
            document = [one.as_json() for one in self._kept.values()] if on_card else []
            names = list(self._seen)
        self._next_save = time.monotonic() + _SAVE_EVERY
        try:
            if on_card:
                replace_whole(self._path, as_json({"messages": document}))
            else:
                self._leave_the_card()
        except OSError as error:
            self._changed = True
            problem, before = (
                _("inbox: {path} cannot be written: {reason}", path=self._path, reason=error.strerror),
                self._problem,
            )
            self._problem = problem
            if problem != before:
                logger.error("%s", problem)  # noqa: TRY400 - the reason says it all
            return
        self._problem = ""
        with self._lock:
            self._seen.update((name, True) for name in names if name in self._seen)

    def _put_aside(self, damaged: Path) -> None:
        try:
            self._path.replace(damaged)
        except OSError as error:
            self._problem = _(
                "inbox: {path} is damaged, and cannot be put aside: {reason}", path=self._path, reason=error.strerror
            )

    def _leave_the_card(self) -> None:
        """Delete what is on the card: also what a kill left half written, and what was damaged."""
        before_it_had_its_name = self._path.with_suffix(".new")  # where earlier versions wrote
        for path in (self._path, new_name(self._path), before_it_had_its_name, self._path.with_suffix(".damaged")):
            if path.exists():  # on a card that is read-only even what is not there cannot be deleted
                path.unlink(missing_ok=True)

    def _leave_the_card_or_say_so(self) -> None:
        try:
            self._leave_the_card()
        except OSError as error:
            self._changed = True  # it is tried again
            self._problem = _(
                "inbox: what is kept in {path} cannot be deleted: {reason}", path=self._path, reason=error.strerror
            )
            logger.error("%s", self._problem)  # noqa: TRY400 - the reason says it all

    def _load(self) -> None:
        try:
            kept = json.loads(self._path.read_bytes())["messages"]
            assemblies = [Assembly.from_json(one) for one in kept]
        except FileNotFoundError:
            return
        except (OSError, KeyError, TypeError, ValueError) as error:
            damaged = self._path.with_suffix(".damaged")
            logger.error("%s cannot be read and is now %s (%s)", self._path, damaged, type(error).__name__)  # noqa: TRY400
            self._put_aside(damaged)
            return
        for assembly in assemblies:
            self._kept[assembly.message_id] = assembly
            for name in assembly.digests():
                self._see(name, held=True)
