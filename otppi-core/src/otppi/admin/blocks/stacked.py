"""The geometry of stacked charts: what became of messages, in four parts that differ by pattern, not only by colour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from otppi.text import Text, _

WIDTH, HEIGHT = 620, 200
"""Of the field that columns are drawn in; it keeps its form where the page makes it smaller."""
_GAP = 0.25
"""Of a column's place that stays empty."""

PARTS: Final[Mapping[str, Text]] = {
    "arrived": _("delivered"),
    "out": _("sent"),
    "unsure": _("perhaps sent"),
    "not": _("not delivered"),
}
"""What a column is made of, from its foot on."""
_PART_OF: Final = {"delivered": "arrived", "sent": "out", "unconfirmed": "unsure", "lost": "unsure"}


@dataclass(frozen=True, slots=True)
class StackedPart:
    """One part of a column or bar: `kind` is a key of `PARTS`; the other numbers are of the field, or hundredths."""

    kind: str
    start: float
    length: float


@dataclass(frozen=True, slots=True)
class StackedBar:
    """One column or bar.

    Attributes:
        name: What it is called.
        count: Its messages.
        parts: What it is made of.
        at, width: Where a column stands, and how wide it is.
    """

    name: str
    count: int
    parts: tuple[StackedPart, ...]
    at: float = 0.0
    width: float = 0.0


def columns_of(rows: Sequence[tuple[str, Mapping[str, int]]]) -> tuple[StackedBar, ...]:
    """Return columns, such as of days, as they stand in the field: each with its messages by state."""
    greatest, place = _greatest(rows), WIDTH / max(1, len(rows))
    return tuple(
        StackedBar(
            name,
            sum(states.values()),
            tuple(
                StackedPart(one.kind, round(HEIGHT - one.start - one.length, 2), one.length)
                for one in _parts(states, HEIGHT / greatest)
            ),
            round((number + _GAP / 2) * place, 2),
            round((1 - _GAP) * place, 2),
        )
        for number, (name, states) in enumerate(rows)
    )


def bars_of(rows: Sequence[tuple[str, Mapping[str, int]]]) -> tuple[StackedBar, ...]:
    """Return bars, such as of modems, in hundredths of the width."""
    greatest = _greatest(rows)
    return tuple(StackedBar(name, sum(states.values()), _parts(states, 100 / greatest)) for name, states in rows)


def _greatest(rows: Sequence[tuple[str, Mapping[str, int]]]) -> int:
    return max([1, *(sum(states.values()) for _name, states in rows)])


def _parts(states: Mapping[str, int], scale: float) -> tuple[StackedPart, ...]:
    counts = dict.fromkeys(PARTS, 0)
    for state, count in states.items():
        counts[_PART_OF.get(state, "not")] += max(0, count)
    parts, start = [], 0.0
    for kind, count in counts.items():
        if count:
            parts.append(StackedPart(kind, round(start, 2), round(count * scale, 2)))
            start += count * scale
    return tuple(parts)
