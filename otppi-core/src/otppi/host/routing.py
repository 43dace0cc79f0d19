"""Which modem sends a message: a pure function of a snapshot of the modems."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """What routing knows of one modem. `ready` is False while it starts or recovers; `load` counts what waits for it."""

    name: str
    prefixes: tuple[str, ...]
    default: bool
    ready: bool
    unfit: bool
    load: int


_DEFAULT, _WITHOUT_PREFIX, _ANY_OTHER = 0, 1, 2


def choose(targets: Sequence[Target], receiver: str, turn: int, *, fail_over: bool = True) -> list[Target]:
    """Order the modems that may send to a receiver (an MSISDN), the best one first.

    A modem that works goes before one that does not. Among those, the longest recipient prefix wins; then come the
    default modems, then those without prefixes, then, only with `fail_over`, all others. Equals are used in turn: the
    one with the shortest queue, and among equally short ones the next after `turn`.
    """
    count = len(targets)
    ranked = []
    for index, target in enumerate(targets):
        tier = _tier(target, receiver)
        ranked.append(((not target.ready, target.unfit, tier, target.load, (index - turn) % count), target, tier))
    if not fail_over and ranked:
        best = min(tier for _, _, tier in ranked)
        ranked = [entry for entry in ranked if entry[2] == best]
    ranked.sort(key=lambda entry: entry[0])
    return [target for _, target, _ in ranked]


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
