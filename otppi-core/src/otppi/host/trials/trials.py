"""The trial that goes on, if one does: who began it, how long it lasts, and how the last one ended."""

import logging
import secrets
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from otppi.api.errors import Busy, InvalidSettings, NotSupported, sentence
from otppi.api.operations import Actor
from otppi.api.services import Service
from otppi.api.trials import CannotWrite, Trial, TrialOver, Values, Writer, WriterContext, WriterType
from otppi.host.settings.config import Config
from otppi.host.trials.differences import Differences
from otppi.text import _
from otppi.wire.errors import FieldError

logger = logging.getLogger(__name__)

_TRY_AGAIN: Final = 2.0
"""Seconds after which bringing back what was before is tried again, where it could not be done."""
_LOOK_AGAIN: Final = 10.0
"""Seconds after which a part is looked at again of which a gateway that died may have left a trial behind: what carries
out the changes starts beside the gateway, and may know nothing yet."""
_COMPARE_AGAIN: Final = 60.0
"""Seconds after which what is kept is compared again with what is in use, where it differs, or could not be read."""


def boot_time() -> float:
    """Return the seconds since the device was switched on: a clock that nobody sets (clock_gettime(2))."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class TrialEnd(StrEnum):
    """How a trial ended."""

    CONFIRMED = "confirmed"
    REVERTED = "reverted"
    """A person wanted what was before."""
    EXPIRED = "expired"
    """Nobody confirmed it in time."""
    LOST = "lost"
    """It was over when it was to be confirmed, as what carried it out was restarted."""


@dataclass(frozen=True, slots=True)
class TrialStatus:
    """A trial that goes on.

    Attributes:
        section: The key of the section whose settings are tried.
        actor: Who began it.
        token: Cannot be guessed: whoever knows it may confirm or revert this trial, and nothing else.
        seconds: How long it lasts.
        expires: When it ends by itself, in seconds of `boot_time`.
        before, values: What was in use before, and what is tried; with secrets.
        address: By which address the device is reached now; None where that has stayed.
    """

    section: str
    actor: Actor
    token: str = field(repr=False)
    seconds: float
    expires: float
    before: Values = field(repr=False)
    values: Values = field(repr=False)
    address: str | None

    @property
    def changed(self) -> list[str]:
        """The keys of the settings that are tried."""
        return [key for key, value in self.values.items() if value != self.before.get(key)]

    def seconds_left(self) -> float:
        """Return the seconds until it ends by itself."""
        return max(0.0, self.expires - boot_time())


class Trials(Service):
    """What changes the device's network and firewall: one trial at a time. Any thread.

    Args:
        types: The writers' types by the keys of their sections.
        config: The settings: what is kept.
        boot_folder: On a RAM disk, and nobody else's.
        folder: On the card, and nobody else's.
    """

    name = "trials"

    def __init__(self, types: Mapping[str, WriterType], config: Config, boot_folder: Path, folder: Path) -> None:
        self.types = types
        self._config = config
        self._boot_folder, self._folder = boot_folder, folder
        self._writers: dict[str, Writer] = {}
        self._making = threading.Lock()
        self._changed = threading.Condition()
        self._current: tuple[TrialStatus, Trial] | None = None
        self._overdue: tuple[TrialStatus, Trial] | None = None
        self._last: tuple[TrialStatus, TrialEnd] | None = None
        self._left_behind: dict[str, str] = {}
        """Why it could not be told whether a trial was left behind, or not be ended, by the sections' keys."""
        self.differences = Differences(types, config, self.in_use)
        self.sections = tuple(types)
        self._look_again: float | None = None
        """When it is looked again at what was left behind, and at what differs."""
        self._stopping = False

    @property
    def has_thread(self) -> bool:
        """Whether there is anything to be tried at all."""
        return bool(self.types)

    # -- reading ------------------------------------------------------------------------------------------------------

    @property
    def current(self) -> TrialStatus | None:
        """The trial that goes on."""
        with self._changed:
            return self._current[0] if self._current else None

    @property
    def last(self) -> tuple[TrialStatus, TrialEnd] | None:
        """The trial that ended last since the gateway's start, and how."""
        return self._last

    def in_use(self, section: str) -> dict[str, Any]:
        """Return what is in use now of a writer's section, with secrets.

        Raises:
            CannotWrite: It cannot be read.
        """
        return dict(self._writer(section).values())

    def starting_point(self, section: str) -> dict[str, Any]:
        """Return what a change begins with: what is in use, or what is kept where that cannot be read."""
        kept = dict(self._config.one(section))
        try:
            return kept | self.in_use(section)
        except CannotWrite:
            return kept

    def check(self, section: str, values: Values) -> dict[str, Any]:
        """Return the values of a section, complete, as they would be tried.

        Args:
            section: The key of a writer's section.
            values: What is to be changed; what they leave out stays as it is in use.

        Raises:
            InvalidSettings: With all that is wrong with them, also beside the other writers' sections.
        """
        checked = self._config.check({section: self.starting_point(section) | dict(values)})[section]
        assert isinstance(checked, dict)  # noqa: S101 - a writer's section is one object
        others = {key: MappingProxyType(self.starting_point(key)) for key in self.types if key != section}
        if problems := list(self.types[section].check(checked, others)):
            raise InvalidSettings([FieldError(f"{section}.{one.field}", one.reason) for one in problems])
        return checked

    # -- changing -----------------------------------------------------------------------------------------------------

    def foresee(self, section: str, values: Values) -> tuple[Values, Values]:
        """Return what is in use of a section, and what would be; nothing is changed.

        Raises:
            InvalidSettings: As `begin`.
        """
        self._find(section)
        return self.starting_point(section), self.check(section, values)

    def begin(self, section: str, values: Values, actor: Actor, token: str = "") -> TrialStatus:
        """Use other values of a section for a while.

        Args:
            section: The key of a writer's section.
            values: What is to be changed; what they leave out stays as it is in use.
            actor: Who wants it.
            token: By which it is confirmed; one is made where there is none.

        Raises:
            InvalidSettings: With all that is wrong with them, also beside the other writers' sections.
            Busy: Another trial goes on.
            CannotWrite: They cannot be used; what was before is in use, or what a gateway that died was trying.
        """
        self.check_settled(section)
        checked = self.check(section, values)
        before = self.starting_point(section)
        one = self.types[section]
        trial = self._writer(section).change(checked, one.seconds)
        status = TrialStatus(
            section=section,
            actor=actor,
            token=token or secrets.token_urlsafe(18),
            seconds=one.seconds,
            expires=boot_time() + one.seconds,
            before=before,
            values=checked,
            address=one.address(checked),
        )
        logger.warning("%s is changed for %.0f s, unless %s confirms it", section, one.seconds, actor)
        with self._changed:
            self._current = (status, trial)
            self._changed.notify_all()
        return status

    def check_settled(self, section: str) -> None:
        """Refuse a section whose values in use may be others in a moment.

        Raises:
            InvalidSettings: There is no such section.
            Busy: A trial goes on.
            CannotWrite: What a gateway that died was trying is in use.
        """
        self._find(section)
        if (why := self._left_behind.get(section)) is not None:
            raise CannotWrite(why)  # what is in use is nothing to come back to
        with self._changed:
            if (other := self._current or self._overdue) is not None:
                reason = _(
                    "a change of {section} waits to be confirmed: confirm or revert it first", section=other[0].section
                )
                raise Busy(reason, retry_after=other[0].seconds_left())

    def confirm(self, token: str) -> TrialStatus:
        """Keep what is tried, over restarts, too; the settings are for the caller to keep.

        Raises:
            TrialOver: No trial of this token goes on.
            CannotWrite: It could not be kept; what was before comes back.
        """
        status, trial = self._withdraw(token)
        try:
            trial.confirm()
        except TrialOver:
            self._end(status, TrialEnd.LOST)
            raise
        except CannotWrite:
            self._bring_back(status, trial, TrialEnd.LOST)
            raise
        self._end(status, TrialEnd.CONFIRMED)
        return status

    def revert(self, token: str) -> TrialStatus:
        """Bring back what was before.

        Raises:
            TrialOver: No trial of this token goes on.
            CannotWrite: It could not be brought back now; it is tried again.
        """
        status, trial = self._withdraw(token)
        self._bring_back(status, trial, TrialEnd.REVERTED)
        if self._overdue is not None:
            raise CannotWrite(_("what was before could not be brought back yet; it is tried again"))
        return status

    # -- the service --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Let `run` go on until the next `stop`."""
        self._stopping = False

    def run(self) -> None:
        """Bring back what a gateway that died was trying; then end each trial in time."""
        self._look(list(self.types))
        while True:
            with self._changed:
                while not self._is_due():
                    self._changed.wait(self._until_due())
                if self._stopping:
                    return
                due = self._overdue
                if due is None and self._current is not None and self._current[0].seconds_left() <= 0.0:
                    due, self._current = self._current, None
            if due is None:
                self._look(list(self._left_behind))
            else:
                self._bring_back(*due, TrialEnd.EXPIRED)
                if self._overdue is not None:
                    with self._changed:
                        self._changed.wait_for(lambda: self._stopping, _TRY_AGAIN)

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - it looks at all
        """Compare anew what is kept with what is in use."""
        self.compare()

    def compare(self) -> None:
        """Have what is kept compared soon with what is in use."""
        with self._changed:
            self._look_again = boot_time()
            self._changed.notify_all()

    def stop(self) -> None:
        """End `run`; what is tried goes on without it, and ends by itself."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def close(self) -> None:
        """Let go of the writers."""
        for one in self._writers.values():
            one.close()
        self._writers.clear()

    def problems(self) -> Sequence[str]:
        """Return what could not be read, or not be brought back."""
        stuck = [] if self._overdue is None else [self._overdue[0].section]
        return [
            *self._left_behind.values(),
            *(_("{section}: what was before could not be brought back yet", section=one) for one in stuck),
            *(self.differences.problems() if self._current is None else ()),
        ]

    def describe(self) -> Mapping[str, Any]:
        """Return which trial goes on, without its token and values."""
        current = self.current
        if current is None:
            return {"section": None}
        return {"section": current.section, "by": current.actor.name, "seconds_left": round(current.seconds_left(), 1)}

    # -- helpers ------------------------------------------------------------------------------------------------------

    def _is_due(self) -> bool:
        return self._stopping or self._overdue is not None or self._until_due() == 0.0

    def _until_due(self) -> float | None:
        if self._overdue is not None:
            return 0.0
        if self._current is not None:
            return self._current[0].seconds_left()
        return None if self._look_again is None else max(0.0, self._look_again - boot_time())

    def _withdraw(self, token: str) -> tuple[TrialStatus, Trial]:
        with self._changed:
            if self._current is None or not secrets.compare_digest(self._current[0].token.encode(), token.encode()):
                raise TrialOver(_("this change is not on trial any more: it was kept, or what was before is back"))
            taken, self._current = self._current, None
            return taken

    def _bring_back(self, status: TrialStatus, trial: Trial, how: TrialEnd) -> None:
        try:
            trial.roll_back()
        except CannotWrite as error:
            logger.error("%s: what was before cannot be brought back: %s", status.section, sentence(error))  # noqa: TRY400
            with self._changed:
                self._overdue = (status, trial)
                self._changed.notify_all()
            return
        with self._changed:
            self._overdue = None
        self._end(status, how)

    def _end(self, status: TrialStatus, how: TrialEnd) -> None:
        self._last = (status, how)
        logger.warning("%s: the change was %s", status.section, how)
        if how is not TrialEnd.CONFIRMED:  # then the settings are kept first
            self.compare()

    def _look(self, left_behind: Sequence[str]) -> None:
        """Bring back what was left behind, and compare what is kept with what is in use."""
        with self._changed:
            self._look_again = None
        self._abandon_left_behind(left_behind)
        self.differences.look()
        with self._changed:
            after = _LOOK_AGAIN if self._left_behind else _COMPARE_AGAIN
            if self._look_again is None and (self._left_behind or self.differences.found or self.differences.unknown):
                self._look_again = boot_time() + after

    def _abandon_left_behind(self, keys: Sequence[str]) -> None:
        for key in keys:
            try:
                if self._writer(key).abandon():
                    logger.warning(
                        "%s: a change that nobody had confirmed was left behind; what was before is back", key
                    )
                self._left_behind.pop(key, None)
            except CannotWrite as error:
                self._left_behind[key] = sentence(error)

    def _find(self, section: str) -> WriterType:
        if section not in self.types:
            known = ", ".join(self.types)
            if not known:
                raise NotSupported(_("no plugin changes the network here"))
            raise InvalidSettings([FieldError("section", _("must be one of {known}", known=known))])
        return self.types[section]

    def _writer(self, section: str) -> Writer:
        one = self._find(section)
        with self._making:
            if section not in self._writers:
                context = WriterContext(self._boot_folder / section, self._folder / section)
                # One by one: with `parents` the upper ones are as the umask wants them.
                for folder in (self._boot_folder, context.boot_folder, self._folder, context.folder):
                    folder.mkdir(mode=0o700, exist_ok=True)
                self._writers[section] = one.create(context)
            return self._writers[section]
