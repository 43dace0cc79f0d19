"""A dispatcher with scripted modems and mail accounts, for tests: the core without settings, ingresses, hardware."""

import time
from dataclasses import fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from otppi.api.egress import Channel, EgressState
from otppi.api.ingress import Origin, Sender
from otppi.api.message import State
from otppi.host.durable.in_flight import InFlight
from otppi.host.durable.journal import Journal
from otppi.host.durable.report import Report
from otppi.host.durable.spool import Spool
from otppi.host.messages.dispatch import Dispatch, PlacementRules
from otppi.host.messages.worker import AnyWorker, Worker
from otppi.host.meter.file import UsageFile
from otppi.host.meter.limits import Limits
from otppi.host.meter.meter import Plan
from otppi.host.meter.prices import Tariff
from otppi.host.modems.worker import ModemWorker, modem_workers
from otppi.host.records.names import egress_name
from otppi.host.records.record import Content, Record
from otppi.host.runtime.events import EventBus
from otppi.host.runtime.supervisor import Supervised
from otppi.host.storage.sealed import SealedFile, spool_key
from otppi.testing.scripted import ScriptedMailAccount, ScriptedModem, SentText, until
from otppi.testing.waiting import PATIENCE

ORIGIN = Origin("test", Sender("app"))
_CONTENT = tuple(one.name for one in fields(Content))
RULES = PlacementRules(duplicate_window=600, attempts=3, modem_grace=60, fail_over=True, resend_unconfirmed=False)


class DispatchBench:
    """Owns a dispatcher, its housekeeping and its modems' threads, until `close`."""

    def __init__(self, folder: Path, **rules: Any) -> None:
        self.folder = folder
        self.journal = Journal(folder / "boot")
        self.report = Report(folder / "report", 12)
        self.now = time.time
        self.usage = UsageFile(folder / "usage", folder / "report", clock=lambda: self.now())
        self.spool = Spool(SealedFile(folder / "boot" / "spool", spool_key(folder / "boot")))
        notes = InFlight(folder / "open", self.report)
        self.events = EventBus()
        self.dispatch = Dispatch(
            replace(RULES, **rules), self.journal, self.spool, notes, self.report, self.usage, self.events
        )
        self.outbox: list[SentText] = []
        self.modems: dict[str, ScriptedModem] = {}
        self.accounts: dict[str, ScriptedMailAccount] = {}
        self.threads: dict[str, Supervised] = {}
        self._housekeeping = Supervised("housekeeping", self.dispatch.run, self.dispatch.stop)
        self._housekeeping.start()

    def add(self, name: str, *, start: bool = True, **options: Any) -> ScriptedModem:
        """Add a modem and wait until it is ready, or make it without starting it."""
        modem = self.modems[name] = ScriptedModem(name, self.outbox)
        worker = self.make(modem, **options)
        self.dispatch.replace_egresses([*modem_workers(self.dispatch.workers()), worker])
        if start:
            self.start(name)
            self.until_state(name, EgressState.READY)
        return modem

    def add_account(self, name: str, *, start: bool = True, **options: Any) -> ScriptedMailAccount:
        """Add a mail account and wait until it is ready, or make it without starting it."""
        account = self.accounts[name] = ScriptedMailAccount(name, self.outbox)
        internal = egress_name(Channel.MAIL, name)
        usage = self.usage.account(internal, Plan(options.pop("limits", Limits()), options.pop("tariff", Tariff())))
        worker = Worker(internal, account, self.dispatch, **{"queue_size": 1000, "account": usage, **options})
        self.dispatch.replace_egresses([*self._mail_workers(), worker], Channel.MAIL)
        if start:
            self.start(internal)
            self.until_state(internal, EgressState.READY)
        return account

    def _mail_workers(self) -> list[AnyWorker]:
        return [worker for worker in self.dispatch.workers() if worker.channel is Channel.MAIL]

    def make(self, modem: ScriptedModem, **options: Any) -> ModemWorker:
        """Make a worker that nobody uses yet; `limits` and `tariff` are its plan, the rest is for the worker."""
        plan = Plan(options.pop("limits", Limits()), options.pop("tariff", Tariff()))
        account = self.usage.account(modem.name, plan)
        return ModemWorker(modem.name, modem, self.dispatch, **{"queue_size": 1000, "account": account, **options})

    def start(self, name: str) -> None:
        """Start a modem's thread."""
        worker = self.egress(name)
        self.threads[name] = Supervised(worker.title, worker.run, worker.stop)
        self.threads[name].start()

    def worker(self, name: str) -> ModemWorker:
        """Find a modem's worker."""
        return next(worker for worker in modem_workers(self.dispatch.workers()) if worker.name == name)

    def egress(self, name: str) -> AnyWorker:
        """Find a worker of any channel by its internal name."""
        return next(worker for worker in self.dispatch.workers() if worker.name == name)

    def until_state(self, name: str, state: EgressState) -> None:
        """Wait for an egress' state."""
        worker = self.egress(name)
        until(lambda: worker.status.state is state, f"{name} is {state}")

    def record(self, receiver: str = "6281200000001", text: str = "a text", **options: Any) -> Record:
        """Make a record; `lifetime` in seconds, `id` for the sender's own one, the rest is content or attributes."""
        lifetime, client_id = options.pop("lifetime", 600.0), options.pop("id", None)
        origin = options.pop("origin", ORIGIN)
        wanted = {name: options.pop(name) for name in (*_CONTENT, "subject") if name in options}
        record = Record.of(origin, client_id, receiver, text, time.time() + lifetime, **wanted)
        if client_id is not None:
            record.digest = self.dispatch.records.digest(client_id, receiver, text)
        for name, value in options.items():
            setattr(record, name, value)
        return record

    def enqueue(self, receiver: str = "6281200000001", text: str = "a text", **options: Any) -> Record:
        """Take a message in."""
        return self.dispatch.enqueue(self.record(receiver, text, **options))

    def end(self, *records: Record) -> tuple[State, ...]:
        """Wait for the ends of records, and return their states."""
        for record in records:
            if not self.dispatch.wait(record, 60):
                raise AssertionError(f"{record} did not end")
        return tuple(record.state for record in records)

    @property
    def texts(self) -> list[str]:
        """What went out so far, in order."""
        return [sent.text for sent in self.outbox]

    def close(self) -> None:
        """Stop everything as the host does."""
        for egress in (*self.modems.values(), *self.accounts.values()):
            egress.gate.set()
        for thread in self.threads.values():
            thread.stop()
        self._housekeeping.stop()
        for thread in (*self.threads.values(), self._housekeeping):
            if not thread.join(PATIENCE):
                raise AssertionError(f"{thread.name} did not end")
        self.dispatch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
