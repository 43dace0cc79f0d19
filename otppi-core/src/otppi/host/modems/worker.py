"""A modem's worker: beside what every egress needs, the steps that recover it, status reports, and class 0 messages."""

import inspect
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from otppi.api.egress import SendHooks
from otppi.api.errors import Lost, ModemLost, Trouble
from otppi.api.message import OutgoingMessage, Progress
from otppi.api.modem import Modem
from otppi.host.messages.worker import AnyWorker, Dispatcher, Worker
from otppi.host.meter.meter import Account
from otppi.host.modems.ladder import DEFAULT_SCHEDULE, RecoverySchedule
from otppi.host.modems.power_supply import PowerSupply
from otppi.host.modems.recoverer import Recoverer
from otppi.host.records.record import Record
from otppi.kit.net.back_off import Backoff
from otppi.text import _

logger = logging.getLogger(__name__)

_REOPEN_CAP = 2.0
"""A modem that comes back is used again within this time and what opening it takes."""
_SEARCH_CAP = 5.0
"""The same for one without network: to make it ready again and again disturbs its search."""


class ModemWorker(Worker[Modem]):
    """One modem with its queue and its thread."""

    def __init__(
        self,
        name: str,
        modem: Modem,
        dispatcher: Dispatcher,
        *,
        queue_size: int,
        prefixes: tuple[str, ...] = (),
        default: bool = False,
        send_from_api: bool = True,
        delivery_reports: bool = True,
        account: Account | None = None,
        schedule: RecoverySchedule = DEFAULT_SCHEDULE,
        power_supply: PowerSupply | None = None,
    ) -> None:
        super().__init__(
            name,
            modem,
            dispatcher,
            queue_size=queue_size,
            prefixes=prefixes,
            default=default,
            send_from_api=send_from_api,
            account=account,
        )
        self.modem = modem
        self.delivery_reports = delivery_reports
        self.recoverer = Recoverer(name, modem, schedule)
        self._power_supply = power_supply
        self._backoff = Backoff(0.2, _SEARCH_CAP)
        self._send_message = sender_of(modem)

    def _not_open(self) -> ModemLost:
        return ModemLost(self._why_not_open())

    def _keep_open(self) -> None:
        self._backoff = Backoff(0.2, _SEARCH_CAP)
        super()._keep_open()

    def _opened(self) -> None:
        self._backoff.reset()
        self.recoverer.ready()

    def _recover(self, error: Lost) -> float:
        """Do what may recover a modem that was lost; return the seconds until it is opened again."""
        lost = error if isinstance(error, ModemLost) else ModemLost(error.cause)
        pause = self.recoverer.recover(lost, self._stopping.is_set)
        if pause is not None:
            return pause
        delay = self._backoff.delay()
        return error.retry_after or (delay if lost.trouble is Trouble.NO_NETWORK else min(delay, _REOPEN_CAP))

    def _failed(self, error: Exception) -> None:
        cause = _("its driver failed ({error})", error=type(error).__name__)
        self._lost(ModemLost(cause, Trouble.FAULTY), cause)

    def _lost(self, error: Lost, cause: str) -> None:
        trouble = error.trouble if isinstance(error, ModemLost) else Trouble.ABSENT
        if self._power_supply and trouble in (Trouble.ABSENT, Trouble.SILENT) and (hint := self._power_supply.hint()):
            cause = f"{cause}; {hint}"
        super()._lost(error, cause)

    def _message(self, record: Record) -> OutgoingMessage:
        content, words = record.content, record.words
        return OutgoingMessage(
            message_id=record.message_id,
            destination=content.receiver,
            text=words.text if words else "",
            validity=max(record.remaining(), 0.0),
            flash=content.flash,
            report=self.delivery_reports,
            again=record.again,
            progress=record.progress,
        )


def modem_workers(workers: Iterable[AnyWorker]) -> list[ModemWorker]:
    """Return the modems among the workers, in their order."""
    return [worker for worker in workers if isinstance(worker, ModemWorker)]


@dataclass(slots=True)
class _HookedProgress(Progress):
    """What the version before gave a modem: the hooks were attributes of the progress."""

    before_dispatch: Callable[[], None] = lambda: None
    meanwhile: Callable[[], None] = lambda: None


def sender_of(modem: Modem) -> Callable[[OutgoingMessage, SendHooks], None]:
    """Return what sends by a modem; one whose `send` takes no hooks gets them as the version before gave them."""
    if len(inspect.signature(modem.send).parameters) > 1:
        return modem.send
    send: Callable[[OutgoingMessage], None] = modem.send

    def send_as_before(message: OutgoingMessage, hooks: SendHooks) -> None:
        progress = message.progress

        def copy_back() -> None:
            progress.concatenation_reference = hooked.concatenation_reference
            progress.segments, progress.references = hooked.segments, hooked.references

        def before_dispatch() -> None:
            copy_back()
            hooks.before_dispatch()

        hooked = _HookedProgress(
            progress.concatenation_reference, progress.segments, progress.references, before_dispatch, hooks.meanwhile
        )
        try:
            send(replace(message, progress=hooked))
        finally:
            copy_back()

    return send_as_before
