"""How the gateway is: its health and warnings, its counters, and what its modems can take on."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import otppi
from otppi.api.egress import Channel, EgressState
from otppi.host.messages.dispatch import Dispatch
from otppi.host.messages.worker import AnyWorker
from otppi.host.modems.worker import ModemWorker, modem_workers
from otppi.kit.net.link import is_link
from otppi.text import _

_HORIZON = 2.0
"""Seconds of work that a modem should have at hand: what it has more, another gateway of the fleet could be sending."""
_AT_HAND_FIRST = 8
_AT_HAND_MOST = 256

Counters = Mapping[str, Mapping[str, float]]


class Warns(Protocol):
    """A part of the gateway that has something to say to people now and then."""

    def warnings(self) -> list[str]:
        """Return what people should know."""


class Overview:
    """Any thread.

    Args:
        dispatch: Whose modems and messages they are.
        parts: Which parts of the gateway warn.
        more_of_modem: What else is known of a modem, by its name.
        more_counters: Further counters.
        ingresses: Describes the ingresses.
    """

    def __init__(
        self,
        dispatch: Dispatch,
        parts: Iterable[Warns],
        more_of_modem: Callable[[str], Mapping[str, Any]],
        more_counters: Callable[[], Counters],
        ingresses: Callable[[], Iterable[Mapping[str, Any]]] = tuple,
    ) -> None:
        self._dispatch = dispatch
        self._parts = tuple(parts)
        self._more_of_modem = more_of_modem
        self._more_counters = more_counters
        self.ingresses = ingresses

    def capacity(self) -> int:
        """Count what the egresses that work now send within the next seconds, so that none of them runs dry."""
        return sum(
            _at_hand(worker.seconds_per_message)
            for worker in self._dispatch.workers()
            if worker.send_from_api and _works(worker) and not worker.rest_left()
        )

    def health(self) -> Mapping[str, Any]:
        """Return whether messages can be sent."""
        workers = [worker for worker in self._dispatch.workers() if worker.status.state is not EgressState.STOPPED]
        ready = sum(_works(worker) for worker in workers)
        status = "down" if not ready else "ok" if ready == len(workers) else "degraded"
        return {
            "status": status,
            "version": otppi.__version__,
            "modems": self.modems(),
            **self._mail_accounts(),
            "queued": sum(len(worker.queue) for worker in self._dispatch.workers()),  # also where one was stopped
            "warnings": [
                *(f"{worker.title}: {warning}" for worker in workers for warning in worker.egress.warnings()),
                *(warning for part in self._parts for warning in part.warnings()),
                *(
                    f"{ingress['name']}: {warning}"
                    for ingress in self.ingresses()
                    for warning in ingress.get("warnings", ())
                ),
                *(
                    _(
                        "{name}: no connection to {server}: {last_problem}",
                        name=ingress["name"],
                        server=ingress["server"],
                        last_problem=ingress["last_problem"] or ingress["detail"],
                    )
                    for ingress in self._brokers()
                    if not ingress["connected"]
                ),
            ],
        }

    def modems(self) -> list[dict[str, Any]]:
        """Describe all modems."""
        return [self.describe(worker) for worker in modem_workers(self._dispatch.workers())]

    def _mail_accounts(self) -> dict[str, Any]:
        """Describe the mail accounts, where there are any."""
        accounts = [worker for worker in self._dispatch.workers() if worker.channel is Channel.MAIL]
        return {"mail_accounts": [describe_account(worker) for worker in accounts]} if accounts else {}

    def modem_list(self) -> dict[str, Any]:
        """Describe all modems to senders: in a list, and by their names, with the keys of the original as well."""
        workers = modem_workers(self._dispatch.workers())
        modems = [self.describe(worker) for worker in workers]
        by_name = {
            modem["modem_id"]: modem
            | {
                "id": modem["modem_id"],
                "name": modem["modem_id"],
                "active": True,
                "connected": modem["state"] == EgressState.READY.value,
                "copsOperator": modem["operator"],
                "defaultModem": worker.default,
            }
            for worker, modem in zip(workers, modems, strict=True)
        }
        return {"modems": modems, "modem_list": by_name}

    def describe(self, worker: ModemWorker) -> dict[str, Any]:
        """Describe a modem with its SIM card's balance."""
        return {**describe_modem(worker), **self._more_of_modem(worker.name)}

    def _brokers(self) -> list[Mapping[str, Any]]:
        """Return what those ingresses say of themselves that are connections to a server."""
        return [ingress for ingress in self.ingresses() if is_link(ingress)]

    def counters(self) -> Counters:
        """Return the metrics of the gateway (`otppi.api.metrics`)."""
        from otppi.host.gateway import metrics  # only where somebody scrapes them

        return {
            **self._dispatch.counts.samples(),
            **metrics.of_egresses(self._dispatch.workers(), self._dispatch.counts.by_egress),
            **metrics.of_modems(modem_workers(self._dispatch.workers()), self._more_of_modem),
            **metrics.of_brokers(self._brokers()),
            "build_info": {metrics.label("version", otppi.__version__): 1},
            "warnings": {"": len(self.health()["warnings"])},
            **self._more_counters(),
        }


def describe_account(worker: AnyWorker) -> dict[str, Any]:
    """Describe an account for lists and health: its state, and what it did."""
    return {
        "mail_account": worker.shown_name,
        "state": worker.status.state.value,
        "detail": worker.status.detail,
        "unusable": worker.account.unusable(),
        "since": round(worker.status.since),
        "queued": len(worker.queue),
        "sent": worker.sent,
    }


def describe_modem(worker: ModemWorker) -> dict[str, Any]:
    """Describe a modem for lists and health: its state, who it is, and what it did."""
    identity = worker.modem.identity()
    last, planned = worker.recoverer.last, worker.recoverer.planned
    return {
        "modem_id": worker.name,
        "state": worker.status.state.value,
        "detail": worker.status.detail,
        "unusable": worker.account.unusable(),
        "since": round(worker.status.since),
        "queued": len(worker.queue),
        "sent": worker.sent,
        "sent_today": worker.account.sent_today(),
        "imei": identity.imei,
        "operator": identity.operator,
        "registration": identity.registration,
        "signal_dbm": identity.signal_dbm,
        "recoveries": {step.value: count for step, count in worker.recoverer.counts.items()},
        "last_recovery": last and {"step": last.step.value, "at": round(last.at), "cause": last.cause},
        "next_step": planned and {"step": planned[0].value, "at": round(planned[1])},
    }


def _works(worker: AnyWorker) -> bool:
    """Whether an egress can send now."""
    return worker.status.state is EgressState.READY and not worker.account.unusable()


def _at_hand(seconds_per_message: float) -> int:
    """Count the messages that one modem should have at hand: two, or what it sends within the horizon."""
    if not seconds_per_message:  # it has not sent one yet
        return _AT_HAND_FIRST
    return max(2, min(math.ceil(_HORIZON / seconds_per_message), _AT_HAND_MOST))
