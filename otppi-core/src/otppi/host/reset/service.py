"""The service that obeys reset sticks, and ends what was begun before this start."""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from threading import Event, Lock
from types import MappingProxyType
from typing import Any, Final

from otppi.api.errors import NotSupported, OtpPiError
from otppi.api.media import MediaWatcher, MediaWatcherType, Medium
from otppi.api.operations import Actor, Role
from otppi.api.services import Service
from otppi.host.reset.carrying_out import ON_THE_CARD, Resets
from otppi.host.reset.journal import BegunReset
from otppi.host.reset.settings import RESET
from otppi.host.reset.signals import StickSignal, show
from otppi.host.reset.stick_judge import Judged, StickJudge, StickVerdict
from otppi.host.runtime.registry import Audited
from otppi.host.settings.config import Config
from otppi.kit import system_units
from otppi.text import Text, _, joined, words

logger = logging.getLogger(__name__)

STICK: Final = Actor("reset stick", "reset-stick", Role.ADMINISTRATOR)
"""In whose name a stick's reset is asked for."""
OPERATION: Final = "reset_groups"
NETWORK_UNIT: Final = "otppi-reset-network.service"
_PATIENCE: Final = 90.0
_AGAIN: Final = 300.0
"""Seconds after which a step is tried once more that failed."""
_FOR_NOTICES: Final = 20.0
"""Seconds in which the administrators are told before they are gone."""

_LOGGED: Final[Mapping[StickVerdict, str]] = MappingProxyType(
    {
        StickVerdict.UNREADABLE: "it cannot be read",
        StickVerdict.SEEN: "it was obeyed or refused before",
        StickVerdict.LATE: "it came too long after the start",
        StickVerdict.OFF: "sticks reset nothing here (setting reset.stick)",
        StickVerdict.WRONG: "it does not show the code of this device",
        StickVerdict.TOO_MANY: "too many wrong codes since the start",
        StickVerdict.USELESS: "it names nothing that there is here",
    }
)

_QUIET: Final = frozenset({StickVerdict.UNREADABLE, StickVerdict.SEEN})
"""What is logged and no more: a stick with other things, and one whose reset is done, which the light shows yet."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the service works with.

    Attributes:
        audit: Is told of sticks that were refused, and of what was carried out.
        announce: Tells the administrators a sentence by the ways of alarms, for so many seconds at most.
        show: Shows a signal.
        bring_back: Brings the files of the network back to what the brochure says; raises OtpPiError.
    """

    audit: Callable[[Audited], None]
    announce: Callable[[Text, float], None]
    show: Callable[[StickSignal], None] = show
    bring_back: Callable[[], None] | None = None


def bring_network_back() -> None:
    """Have the unit of the card image bring the network back; elsewhere the network is not ours, and stays.

    Raises:
        UnitError: It could not.
    """
    if not system_units.in_use():
        logger.warning("reset: the network of this computer is not OTP-Pi's, and stays as it is")
        return
    system_units.start(NETWORK_UNIT, _PATIENCE)


class StickResets(Service):
    """Ends a reset that was begun before this start, then looks at sticks until the window is over.

    Args:
        resets: The resets of the data folder.
        judge: Judges sticks.
        watchers: What finds them; the first one is used.
        config: The settings.
        surroundings: The rest.
    """

    name = "reset stick"
    sections: Collection[str] = (RESET.key,)

    def __init__(
        self,
        resets: Resets,
        judge: StickJudge,
        watchers: Collection[MediaWatcherType],
        config: Config,
        surroundings: Surroundings,
    ) -> None:
        self._resets = resets
        self._judge = judge
        self._watchers = watchers
        self._config = config
        self._around = surroundings
        self._asks: Callable[[Mapping[str, Any], Actor], Any] | None = None
        self._lock = Lock()
        self._stopping = Event()
        self._watcher: MediaWatcher | None = None
        self._problem = ""
        self._last: Judged | None = None
        self.obeying = ""
        """The digest of the stick's content that is obeyed now."""

    def by(self, asks: Callable[[Mapping[str, Any], Actor], Any]) -> None:
        """Tell how a reset is asked for: as the operation that people have, with its arguments."""
        self._asks = asks

    # -- its thread -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Go on with what was begun, look at sticks until the window is over, and wait for the end."""
        watcher = self._make_watcher() if self._judge.seconds_left else None
        try:
            while not self._stopping.is_set():
                self._go_on()
                until_then = _AGAIN if self._resets.begun is not None else None
                left = self._judge.seconds_left if watcher is not None else 0.0
                if watcher is not None and left:
                    watcher.watch(self._found, left if until_then is None else min(left, until_then))
                else:
                    self._stopping.wait(until_then)
        finally:
            with self._lock:
                self._watcher = None

    def _go_on(self) -> None:
        """Do the steps that are left of a reset; one that fails is tried again later."""
        begun = self._resets.begun
        if begun is None or any(one.startswith(ON_THE_CARD) for one in begun.steps_left):
            return  # what is on the card is done when the folder is opened
        try:
            for step in begun.steps_left:
                self._resets.carry_out(step, self._around.bring_back or bring_network_back)
            self._finished(self._resets.end())
        except (OtpPiError, OSError) as error:
            self._problem = _("a reset is not done yet: {reason}", reason=_why(error))
            logger.error("%s", self._problem)  # noqa: TRY400 - it says all
        else:
            self._problem = ""

    def _finished(self, begun: BegunReset) -> None:
        name, origin = begun.by
        logger.warning("the reset by %s is done: %s", name, said_of(begun))
        if begun.plan.wipe:  # the trail that told of its beginning is gone
            actor = Actor(name, origin, Role.ADMINISTRATOR)
            fields = ("wipe_secrets",)
            self._around.audit(Audited(time.time(), actor, OPERATION, "", "done", fields=fields))
        if origin == STICK.origin:
            self._around.show(StickSignal.DONE)

    def _make_watcher(self) -> MediaWatcher | None:
        """Return what finds sticks; None where nothing does."""
        kind = next(iter(self._watchers), None)
        if kind is None:
            return None
        try:
            watcher = kind.create()
        except NotSupported as error:
            logger.info("no reset by a stick: %s", error)
            return None
        with self._lock:
            self._watcher = watcher
            if self._stopping.is_set():
                watcher.stop()
        return watcher

    def _found(self, medium: Medium) -> None:
        judged = self._judge.judge(medium, self._config.one(RESET))
        if judged.verdict is StickVerdict.NOTHING or self._stopping.is_set():
            return
        self._last = judged
        if judged.verdict is StickVerdict.DONE:
            self._around.show(StickSignal.READING)
            self._obey(judged)
            return
        logger.warning("the stick %s resets nothing: %s", medium.device, medium.problem or _LOGGED[judged.verdict])
        if judged.verdict in _QUIET:
            return
        if judged.content:
            refused = Audited(time.time(), STICK, OPERATION, medium.device, "failed", judged.verdict.value)
            self._around.audit(refused)
        self._around.show(StickSignal.REFUSED)

    def _obey(self, judged: Judged) -> None:
        plan = judged.plan
        what = joined(", ", (*plan.groups, *(("wipe_secrets",) if plan.wipe else ())))
        self._around.announce(
            _("The device is being reset by a USB stick: {what}. If it was none of yours, go and look.", what=what),
            _FOR_NOTICES,
        )
        assert self._asks is not None  # noqa: S101 - a programming error
        self.obeying = judged.content
        try:
            self._asks({"groups": list(plan.groups), "wipe_secrets": plan.wipe}, STICK)
        except (OtpPiError, OSError) as error:
            self._problem = _("a reset by a stick was not begun: {reason}", reason=_why(error))
            logger.error("%s", self._problem)  # noqa: TRY400 - it says all
            self._around.show(StickSignal.REFUSED)
        finally:
            self.obeying = ""

    # -- other threads ----------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()
        with self._lock:
            if self._watcher is not None:
                self._watcher.stop()

    def describe(self) -> Mapping[str, Any]:
        """Return for how long sticks are looked at yet, and what became of the last one."""
        return {
            "open_for": round(self._judge.seconds_left),
            "last_stick": self._last.verdict.value if self._last is not None else None,
        }

    def warnings(self) -> Sequence[str]:
        """Return what people should know."""
        return [self._problem] if self._problem else []


def _why(error: OtpPiError | OSError) -> str:
    return words(error) if isinstance(error, OtpPiError) else error.strerror or type(error).__name__


def said_of(begun: BegunReset) -> str:
    """Return what a reset does, for the log."""
    return "wipe_secrets" if begun.plan.wipe else ", ".join(begun.plan.groups)
