"""Which modem sends a message: a pure function of a snapshot of the modems."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """What routing knows of one modem.

    `ready` is False while it starts or recovers, `usable` where the message cannot wait for it, was refused by it or is
    beyond its quota; `held` where quiet hours or its rate let the message wait; `load` counts what waits for it, `turn`
    is the number of the choice that it was chosen at last; `price` is that of a segment, 0 where no price matters.
    """

    name: str
    prefixes: tuple[str, ...]
    default: bool
    ready: bool
    unfit: bool
    load: int
    turn: int = 0
    usable: bool = True
    held: bool = False
    price: float = 0.0


_DEFAULT, _WITHOUT_PREFIX, _ANY_OTHER = 0, 1, 2


def choose(targets: Sequence[Target], receiver: str, *, fail_over: bool = True) -> list[Target]:
    """Order the modems that may send to a receiver (an MSISDN), the best one first.

    A modem that works goes before one that does not, and one that may send now before one that is held. Among those,
    the cheapest wins where prices matter; then the longest recipient prefix; then come the default modems, then those
    without prefixes, then all others. Equals are used in turn: the one with the shortest queue, and among equally short
    ones the one that was chosen longest ago. Without `fail_over` only the modems that the receiver's number names are
    asked, whether they work or not, and those of other prefixes never.
    """
    tiers = [(_tier(target, receiver), target) for target in targets]
    if not fail_over:
        named = min((tier for tier, _ in tiers if tier < _ANY_OTHER), default=None)
        tiers = [(tier, target) for tier, target in tiers if tier == named]
    ranked = [(tier, target) for tier, target in tiers if target.usable]
    ranked.sort(key=_rank)
    return [target for _, target in ranked]


def _rank(entry: tuple[int, Target]) -> tuple[float, ...]:
    tier, target = entry
    return not target.ready, target.unfit, target.held, target.price, tier, target.load, target.turn


def _tier(target: Target, receiver: str) -> int:
    longest = 0
    for prefix in target.prefixes:
        if receiver.startswith(prefix) and len(prefix) > longest:
            longest = len(prefix)
    if longest:
        return -longest
    if target.default:
        return _DEFAULT
    return _ANY_OTHER if target.prefixes else _WITHOUT_PREFIX
