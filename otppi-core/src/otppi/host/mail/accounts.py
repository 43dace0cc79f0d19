"""The mail accounts that are used: those of the settings, each with its worker and its thread."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from otppi.api.egress import Channel
from otppi.api.mail import MailContext, MailType
from otppi.api.services import Service
from otppi.host.mail.settings import MAIL_ACCOUNTS, MailAccountValues
from otppi.host.messages.dispatch import Dispatch
from otppi.host.messages.held import HeldEgresses
from otppi.host.messages.settings import SMS
from otppi.host.messages.worker import AnyWorker, Worker
from otppi.host.meter.file import UsageFile
from otppi.host.meter.limits import Limits
from otppi.host.meter.meter import Account, Plan
from otppi.host.meter.prices import Tariff
from otppi.host.records.names import egress_name
from otppi.host.runtime.supervisor import Supervised
from otppi.host.runtime.switches import ServiceSwitch
from otppi.host.settings.config import Config
from otppi.host.settings.renames import Rename

logger = logging.getLogger(__name__)


class _AccountValues(MailAccountValues):
    """The values of an account, with what it has of all messages' settings."""

    queue_size: int


class MailAccounts(Service):
    """All accounts. Changed by one thread at a time; read by any.

    Args:
        config: The settings.
        types: What the plugins send by, by key.
        dispatch: Whose messages the accounts send.
        usage: What each has sent, for its limits.
        boot_folder: On a RAM disk, for plugins.
    """

    name = "mail accounts"
    sections: Collection[str] = (SMS.key, MAIL_ACCOUNTS.key)

    def __init__(
        self, config: Config, types: Mapping[str, MailType], dispatch: Dispatch, usage: UsageFile, boot_folder: Path
    ) -> None:
        self._config = config
        self._types = types
        self._dispatch = dispatch
        self._usage = usage
        self._boot_folder = boot_folder
        self._egresses = HeldEgresses("mail")
        self._values: dict[str, _AccountValues] = {}

    def start(self) -> None:
        """Start the accounts of the settings; where there are none, what an earlier run left for them ends."""
        self._usage.follow(_by_egress(one) for one in self._config.renames(MAIL_ACCOUNTS.key))
        queue_size = self._config.one(SMS)["queue_size"]
        wanted: dict[str, _AccountValues] = {
            egress_name(Channel.MAIL, values["name"]): {**values, "queue_size": queue_size}
            for values in self._config.many(MAIL_ACCOUNTS)
            if values["active"]
        }
        self._egresses.follow((_by_egress(one) for one in self._config.renames(MAIL_ACCOUNTS.key)), wanted)
        kept = {one.name: one for one in self._workers()}
        workers: list[AnyWorker] = []
        for name, values in wanted.items():
            if name in kept and self._values.get(name) == values and kept[name].account is self._account(name, values):
                workers.append(kept.pop(name))
            elif worker := self._make_worker(name, values):
                workers.append(worker)
        self._egresses.end(kept)
        self._egresses.hold(workers)
        self._dispatch.replace_egresses(workers, Channel.MAIL)
        self._values = dict(wanted)
        self._egresses.run(workers)

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - either may concern each of them
        """Start, keep or stop accounts so that they are those of the settings."""
        self.start()

    def stop(self) -> None:
        """Let each account finish what it is sending."""
        self._egresses.end(list(self._egresses.threads))

    def threads(self) -> Iterable[Supervised]:
        """Return the threads of the accounts (any thread)."""
        return list(self._egresses.threads.values())

    def switches(self) -> Sequence[ServiceSwitch]:
        """Return how each account is, and whether it was stopped (any thread)."""
        return self._egresses.switches(self._workers())

    def switch_off(self, key: str) -> None:
        """Stop an account after the message that it is sending; what waits for it is kept."""
        self._egresses.switch_off(self._workers(), key)

    def switch_on(self, key: str) -> None:
        """Start an account that was stopped."""
        self._egresses.switch_on(self._workers(), key)

    def _workers(self) -> list[AnyWorker]:
        return [one for one in self._dispatch.workers() if one.channel is Channel.MAIL]

    def _make_worker(self, name: str, values: _AccountValues) -> AnyWorker | None:
        mail_type = self._types.get(values["type"])
        if mail_type is None:
            logger.error("mail account %s is left out: no plugin has the type %s", values["name"], values["type"])
            return None
        try:
            return Worker(
                name,
                mail_type.create(MailContext(values, self._boot_folder)),
                self._dispatch,
                queue_size=values["queue_size"],
                account=self._account(name, values),
            )
        except Exception:  # a stranger's code may raise anything, and the others must start
            logger.exception("mail account %s is left out", values["name"])
            return None

    def _account(self, name: str, values: _AccountValues) -> Account:
        limits = Limits(rate_per_minute=values["rate_per_minute"], daily_quota=values["daily_limit"])
        return self._usage.account(name, Plan(limits, Tariff()))


def _by_egress(change: Rename) -> Rename:
    """Return a change of accounts' names as one of egresses' names."""
    names = {egress_name(Channel.MAIL, was): egress_name(Channel.MAIL, now) for was, now in change.names.items()}
    return replace(change, names=names)
