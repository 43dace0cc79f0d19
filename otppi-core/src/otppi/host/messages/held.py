"""What people have stopped of the egresses of one channel: kept by name until it is started, or the gateway is."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from otppi.host.messages.worker import AnyWorker
from otppi.host.runtime.supervisor import Supervised, end_all
from otppi.host.runtime.switches import ServiceSwitch, check_ended
from otppi.host.settings.renames import Rename
from otppi.host.settings.stopped_names import StoppedNames
from otppi.text import Text, _

_PATIENCE: Final = 10.0
"""Seconds in which an egress may finish the message that it is sending."""


class HeldEgresses:
    """Their threads, and which of them are stopped. Changed by one thread at a time; read by any.

    Args:
        kind: Of their switches: `modem` or `mail`.
    """

    def __init__(self, kind: str) -> None:
        self.threads: dict[str, Supervised] = {}
        self._kind = kind
        self._stopped = StoppedNames()

    def follow(self, renames: Iterable[Rename], names: Collection[str]) -> None:
        """Keep those stopped that have other names now; see `StoppedNames`."""
        self._stopped.follow(renames, names)

    def end(self, names: Iterable[str]) -> None:
        """End the threads of some, all at once, after the message that each is sending."""
        end_all([thread for name in names if (thread := self.threads.pop(name, None)) is not None], _PATIENCE)

    def hold(self, workers: Iterable[AnyWorker]) -> None:
        """Hold those that take the place of one that is stopped; before they get what waits for it."""
        for worker in workers:
            if worker.name in self._stopped and not worker.held:
                worker.hold_unstarted()

    def run(self, workers: Iterable[AnyWorker]) -> None:
        """Start those that have no thread yet and are not stopped."""
        for worker in workers:
            if worker.name not in self._stopped and worker.name not in self.threads:
                thread = self.threads[worker.name] = Supervised(str(worker.title), worker.run, worker.stop)
                thread.start()

    def switches(self, workers: Iterable[AnyWorker]) -> Sequence[ServiceSwitch]:
        """Return how each egress is."""
        return [
            ServiceSwitch(
                self._key(worker),
                self._title(worker.shown_name),
                self._kind,
                worker.status.state.value,
                worker.status.since,
                worker.status.detail or worker.account.unusable(),
                stopped=worker.held,
                waiting=len(worker.queue),
            )
            for worker in workers
        ]

    def switch_off(self, workers: Iterable[AnyWorker], key: str) -> None:
        """Stop the one of these that has a key, after the message that it is sending."""
        worker = self._of(workers, key)
        self._stopped.add(worker.name)
        worker.hold()
        if (thread := self.threads.get(worker.name)) is not None:
            end_all([thread], _PATIENCE)

    def switch_on(self, workers: Iterable[AnyWorker], key: str) -> None:
        """Start the one of these that has a key, where it was stopped.

        Raises:
            NotEnded: It has not come to its end yet.
        """
        worker = self._of(workers, key)
        if not worker.held:
            return
        if (thread := self.threads.get(worker.name)) is not None:
            check_ended(thread)
            del self.threads[worker.name]
        self._stopped.discard(worker.name)
        worker.release()
        self.run([worker])

    def _of(self, workers: Iterable[AnyWorker], key: str) -> AnyWorker:
        for worker in workers:
            if self._key(worker) == key:
                return worker
        raise LookupError(key)

    def _title(self, name: str) -> Text:
        return _("Modem {name}", name=name) if self._kind == "modem" else _("E-mail account {name}", name=name)

    def _key(self, worker: AnyWorker) -> str:
        return f"{self._kind}:{worker.shown_name}"
