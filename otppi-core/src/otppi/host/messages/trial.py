"""Which modem would send to a receiver, and at which price: told to people, and nothing is sent or held for it."""

import time
from dataclasses import dataclass

from otppi.api.egress import Channel, EgressState
from otppi.host.messages.placement import Placement
from otppi.host.messages.routing import choose
from otppi.host.messages.worker import AnyWorker
from otppi.text import _
from otppi.text.states import egress_said


@dataclass(frozen=True, slots=True)
class TriedModem:
    """What becomes of one modem where a message to some receiver asks for one.

    Attributes:
        name: The modem's.
        place: In the order in which modems are asked, from 1; 0 where it is not asked at all.
        prefix: The longest of its recipient prefixes that the receiver's number begins with; empty where none does.
        default: Whether it sends to receivers that no prefix names.
        price: Of a segment to this receiver, the next one.
        why: Why it is not asked, or only after others; empty where it would send at once.
    """

    name: str
    place: int
    prefix: str
    default: bool
    price: float
    why: str


def tried(placement: Placement, receiver: str) -> list[TriedModem]:
    """Return all modems in the order in which a one-time password to a receiver asks them; the others behind them.

    Args:
        placement: Who places messages; its lock is held.
        receiver: An MSISDN, the key of a subscriber.
    """
    now = time.monotonic()
    workers = {one.name: one for one in placement.workers() if one.channel is Channel.SMS}
    reasons = {name: _why(placement, worker, receiver, now) for name, worker in workers.items()}
    targets = [
        placement.target(worker, receiver, now, takes=not worker.account.used_up(receiver, 1))
        for worker in workers.values()
        if worker.send_from_api
    ]
    order = [one.name for one in choose(targets, receiver, fail_over=placement.rules.fail_over)]
    asked = {name: place for place, name in enumerate(order, 1)}
    names = [*order, *(name for name in workers if name not in asked)]
    return [
        TriedModem(
            name=name,
            place=asked.get(name, 0),
            prefix=max((one for one in workers[name].prefixes if receiver.startswith(one)), key=len, default=""),
            default=workers[name].default,
            price=workers[name].account.price(receiver),
            why=reasons[name] or ("" if name in asked else _("only its own prefixes go by it: fail-over is off")),
        )
        for name in names
    ]


def _why(placement: Placement, worker: AnyWorker, receiver: str, now: float) -> str:
    """Return what keeps a modem from sending at once; empty where nothing does."""
    if not worker.send_from_api:
        return _("it sends nothing that comes in from ingresses")
    if worker.status.state is not EgressState.READY or not placement.may_wait_for(worker, now):
        return egress_said(worker.status.state)
    if used_up := worker.account.used_up(receiver, 1):
        return used_up
    if worker.account.quiet_left(bulk=False):
        return _("quiet hours")
    return _("it rests after a refusal") if worker.rest_left() or worker.unfit_until > now else ""
