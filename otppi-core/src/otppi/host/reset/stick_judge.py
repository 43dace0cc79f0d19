"""Whether what a stick asks for is done: within minutes of the start, with the device's code, once, and five times."""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

from otppi.api.media import Medium
from otppi.host.reset.groups import Groups, ResetPlan
from otppi.host.reset.request import ResetRequest, requests_of
from otppi.host.reset.settings import ResetValues
from otppi.kit.files import replace_whole

logger = logging.getLogger(__name__)

WINDOW: Final = 600.0
"""Seconds after the computer's start in which sticks are looked at: whoever is there has just switched it on."""
TRIES: Final = 5
"""Wrong codes of one run of the computer."""


class StickVerdict(Enum):
    """What becomes of a stick."""

    NOTHING = "nothing"
    """It asks for nothing."""
    UNREADABLE = "unreadable"
    SEEN = "seen"
    """It was obeyed before, or refused since the computer started."""
    LATE = "late"
    OFF = "off"
    """Sticks reset nothing here."""
    WRONG = "wrong"
    TOO_MANY = "too many"
    USELESS = "useless"
    """It asks for parts only that there are not."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Judged:
    """A stick that was judged.

    Attributes:
        verdict: How.
        plan: What is to be done, where it is.
        content: The digest of its content.
    """

    verdict: StickVerdict
    plan: ResetPlan = field(default_factory=ResetPlan)
    content: str = ""


def since_boot() -> float:
    """Return how long the computer runs, in seconds, its sleep included (CLOCK_BOOTTIME of clock_gettime(2))."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def digest_of(medium: Medium) -> str:
    """Return what tells a stick's content from every other one: its file system, and its files."""
    digest = hashlib.sha256(medium.identity.encode("utf-8", "replace"))
    for name in sorted(medium.files):
        content = medium.files[name]
        digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


class Tries:
    """How many codes were wrong since the computer started: on a RAM disk, so that a gateway that restarts knows it.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def may(self) -> bool:
        """Count one more, before it is looked at; False where there were too many, or it cannot be counted."""
        try:
            count = int(self._path.read_bytes())
        except FileNotFoundError:
            count = 0
        except (OSError, ValueError):
            return False
        if count >= TRIES:
            return False
        try:
            replace_whole(self._path, b"%d" % (count + 1))
        except OSError as error:
            logger.error("a stick is not looked at, for it cannot be counted: %s", error.strerror)  # noqa: TRY400
            return False
        return True

    def forgive(self) -> None:
        """Forget all: a right one was shown."""
        self._path.unlink(missing_ok=True)


class StickJudge:
    """For one thread.

    Args:
        is_code: Whether what is shown is the device's code; takes as long for any that is not.
        groups: The parts that there are.
        seen: Whether a content was obeyed before.
        tries: Counts wrong codes.
        uptime: How long the computer runs, in seconds.
    """

    def __init__(
        self,
        is_code: Callable[[str], bool],
        groups: Groups,
        seen: Callable[[str], bool],
        tries: Tries,
        uptime: Callable[[], float] = since_boot,
    ) -> None:
        self._is_code = is_code
        self._groups = groups
        self._seen = seen
        self._tries = tries
        self._uptime = uptime
        self._refused: set[str] = set()

    @property
    def seconds_left(self) -> float:
        """Seconds in which sticks are looked at yet."""
        return max(0.0, WINDOW - self._uptime())

    def judge(self, medium: Medium, values: ResetValues) -> Judged:
        """Judge what was found."""
        if medium.problem:
            return Judged(StickVerdict.UNREADABLE)
        asked = requests_of(medium.files)
        if not asked:
            return Judged(StickVerdict.NOTHING)
        content = digest_of(medium)
        if not values["stick"]:
            return Judged(StickVerdict.OFF)
        if not self.seconds_left:
            return Judged(StickVerdict.LATE)
        if content in self._refused or self._seen(content):
            return Judged(StickVerdict.SEEN)
        allowed = [one for one in asked if one.is_public and values["public_word"]]
        for one in asked:
            if one not in allowed and one.code:
                if not self._tries.may():
                    return self._no(StickVerdict.TOO_MANY, content)
                if self._is_code(one.code):
                    self._tries.forgive()
                    allowed.append(one)
        return self._allow(allowed, content) if allowed else self._no(StickVerdict.WRONG, content)

    def _allow(self, allowed: list[ResetRequest], content: str) -> Judged:
        names = [name for one in allowed for name in one.groups]
        if unknown := self._groups.unknown(names):
            logger.warning("a reset stick names parts that there are not here: %d of them", len(unknown))
        plan = self._groups.plan(names, wipe=any(one.wipe for one in allowed))
        if not plan.steps:
            return self._no(StickVerdict.USELESS, content)
        return Judged(StickVerdict.DONE, plan, content)

    def _no(self, verdict: StickVerdict, content: str) -> Judged:
        self._refused.add(content)
        return Judged(verdict, content=content)
