"""One profile of NetworkManager as a writer: what is in use, changes of it, and their trials.

A trial is in RAM only, and NetworkManager's checkpoint ends it, also where the gateway dies. NetworkManager's own
restart ends the checkpoint and keeps what is in RAM: so what was before is noted beside it, on the same RAM disk, and
brought back then.
"""

import json
import logging
import math
import os
import threading
import time
from abc import abstractmethod
from typing import Any, Final

from otppi.api.trials import CannotWrite, Trial, TrialOver, Values, Writer, WriterContext
from otppi.kit.device_network.encoded import decoded, encoded
from otppi.kit.device_network.network_manager import NetworkManager, Profile, network_manager
from otppi.kit.files import as_json, replace_whole
from otppi.kit.net.wake import Wake
from otppi.kit.threads import PromptThread
from otppi.text import _

logger = logging.getLogger(__name__)

_USED_WITHIN: Final = 10.0
"""Seconds after which what takes longer is looked at no more: an address by DHCP may take 45."""
_BACK_WITHIN: Final = 60.0
"""Seconds that NetworkManager may take after its start until it knows its devices."""

_AGAIN_AFTER: Final = 0.5


class ProfileWriter(Writer):
    """Reads and changes one profile. What is said of threads in `Writer` holds.

    Args:
        context: Where it notes trials.
        interface: That of the device, such as `eth0`.
        uuid: That of the profile.
    """

    secret: str | None = None
    """The setting of the profile whose secrets are its own."""

    def __init__(self, context: WriterContext, interface: str, uuid: str) -> None:
        self.interface = interface
        self.uuid = uuid
        self._note = context.boot_folder / "trial.json"
        self._trial: _ProfileTrial | None = None

    @abstractmethod
    def read(self, profile: Profile | None) -> Values:
        """Return the values that a profile stands for; None is that there is none."""

    @abstractmethod
    def profile(self, values: Values, before: Profile | None) -> dict[str, Any]:
        """Return the profile that stands for values.

        Args:
            values: Those of the section.
            before: What the profile holds, with its secrets; None where there is none.
        """

    @property
    @abstractmethod
    def unavailable(self) -> str:
        """What is said where the device cannot be used now."""

    def values(self) -> Values:
        """Return what is in use now."""
        with network_manager() as manager:
            return self.read(self._profile(manager)[1])

    def change(self, values: Values, seconds: float) -> Trial:
        """Use other values for a while."""
        with network_manager() as manager:
            device = manager.device(self.interface)
            manager.check_ready(device, self.interface, self.unavailable)
            path, before = self._profile(manager)
            new = self.profile(values, before)
            checkpoint = manager.checkpoint(device, math.ceil(seconds))
            trial = _ProfileTrial(self, before, checkpoint, seconds)
            try:
                self.note(before, checkpoint)
                manager.activate(manager.try_profile(path, new), device, _USED_WITHIN)
                trial.watch()
            except BaseException:
                trial.roll_back()
                raise
        self._trial = trial
        return trial

    def close(self) -> None:
        """Look at no trial any more; one that goes on ends by itself."""
        if self._trial is not None:
            self._trial.unwatch()

    def abandon(self) -> bool:
        """Bring back what was before a trial that was left behind."""
        try:
            document = json.loads(self._note.read_bytes())
            before = None if document["before"] is None else decoded(document["before"])
            checkpoint = str(document["checkpoint"])
        except FileNotFoundError:
            return False
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CannotWrite(_("it cannot be read what was before the last trial")) from error
        self.bring_back(before, checkpoint)
        return True

    # -- for its trials ---------------------------------------------------------------------------------------------

    def note(self, before: Profile | None, checkpoint: str) -> None:
        """Note what was before, for who finds the trial left behind.

        Raises:
            CannotWrite: It cannot be noted.
        """
        document = {"before": None if before is None else encoded(before), "checkpoint": checkpoint}
        try:
            self._note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_whole(self._note, as_json(document))
        except OSError as error:
            raise CannotWrite(_("it cannot be noted what is in use now")) from error

    def forget(self) -> None:
        """Note that there is no trial any more."""
        self._note.unlink(missing_ok=True)

    def persist(self) -> None:
        """Keep what is in use, on the card."""
        with network_manager() as manager:
            path, now = self._profile(manager)
            if path is None or now is None:
                raise CannotWrite(_("the profile is gone"))
            manager.keep_profile(path, now)
        # NetworkManager does not wait for the card: within seconds, a power cut would undo what is told as kept.
        os.sync()

    def bring_back(self, before: Profile | None, checkpoint: str) -> None:
        """Bring back what was before a trial: on the device, in NetworkManager's RAM, and as the card has it."""
        with network_manager() as manager:
            if rolled_back := manager.has_checkpoint(checkpoint):
                device = manager.device(self.interface)
                tried = manager.active(device)
                manager.roll_back(checkpoint)
                manager.wait_for_another(device, tried, _USED_WITHIN)
            path, now = self._profile(manager)
            if before is None:
                if path is not None:
                    manager.delete_profile(path)
            else:
                differs = now is None or self.read(now) != self.read(before)
                path = path or manager.try_profile(None, before)
                # As the card has it, too: what NetworkManager holds in RAM of a profile goes before that.
                manager.keep_profile(path, before)
                if differs and not rolled_back:
                    manager.activate(path, manager.device(self.interface), _USED_WITHIN)
        self.forget()

    def _profile(self, manager: NetworkManager) -> tuple[str | None, dict[str, Any] | None]:
        path = manager.profile(self.uuid)
        return path, None if path is None else manager.settings(path, self.secret)


class _ProfileTrial(Trial):
    """A profile that is in use and not kept. While it lasts, a thread waits for a restart of NetworkManager."""

    def __init__(self, writer: ProfileWriter, before: Profile | None, checkpoint: str, seconds: float) -> None:
        self._writer = writer
        self._before = before
        self._checkpoint = checkpoint
        self._deadline = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._over = self._unwatched = False
        self._wake = Wake()
        self._thread = PromptThread(self._watch, f"trial {writer.interface}")

    def watch(self) -> None:
        """Look for a restart of NetworkManager from now on."""
        self._thread.start()

    def unwatch(self) -> None:
        """Look for it no more."""
        self._unwatched = True
        self._wake.set()
        self._thread.end(_USED_WITHIN)

    def confirm(self) -> None:
        """Keep it."""
        with self._lock:
            if self._over:
                raise TrialOver(_("what was before is in use again"))
            with network_manager() as manager:
                if not manager.has_checkpoint(self._checkpoint):
                    self._end()
                    raise TrialOver(_("what was before is in use again"))
                manager.forget_checkpoint(self._checkpoint)
            try:
                self._writer.persist()
            except CannotWrite:
                self._end()
                raise
            self._over = True
            self._wake.set()
            self._writer.forget()

    def roll_back(self) -> None:
        """Bring back what was before."""
        with self._lock:
            if not self._over:
                self._end()

    def _end(self) -> None:
        self._writer.bring_back(self._before, self._checkpoint)
        self._over = True
        self._wake.set()

    def _watch(self) -> None:
        try:
            with network_manager() as manager:
                restarted = manager.wait_for_restart(self._deadline, self._wake)
        except CannotWrite:
            logger.exception("it is not known whether NetworkManager is restarted while a change is on trial")
            return
        if restarted and not self._unwatched:
            logger.warning("NetworkManager was restarted while a change was on trial: what was before comes back")
            self._bring_back_soon()

    def _bring_back_soon(self) -> None:
        """Bring back what was before as soon as NetworkManager can, which after its start knows no devices yet."""
        until = time.monotonic() + _BACK_WITHIN
        while True:
            try:
                return self.roll_back()
            except CannotWrite:
                if time.monotonic() > until:
                    logger.exception("what was before a change of %s did not come back", self._writer.interface)
                    return None
            self._wake.wait(_AGAIN_AFTER)
            if self._unwatched:
                return None
