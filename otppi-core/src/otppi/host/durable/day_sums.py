"""Sums of the report by day: how many messages, segments and what price, by egress, by prefix and by user, by state.

The three are added up apart from each other, and together as far as there is room: a small company has some dozen
combinations a day, and all of 16 modems, 20 prefixes and 50 users were half a million numbers a month. What is added up
apart is eight thousand, whatever the traffic is.
"""

import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from otppi.api.message import State
from otppi.host.records.report_lines import LaterState, ReportedMessage

EGRESS, PREFIX, USER = "egress", "prefix", "user"
DIMENSIONS: Final = (EGRESS, PREFIX, USER)
TOGETHER: Final = "together"
"""The dimension whose values are those of all three, with `_BETWEEN` in between."""
OTHERS: Final = "*"
"""Where a day's values are put together that there was no room for."""

_MOST_VALUES = 100
"""Egresses, prefixes or users of a day; further ones are `OTHERS`."""
_MOST_TOGETHER = 300
"""Combinations of them on a day."""
_BETWEEN: Final = "\t"
_MOST_DAYS = 70
"""Of a file, as it is written: its month, and what was told later of the one before."""
_DIGITS = 4
_STATES = frozenset(State)

Cell = list[Any]
"""Messages, segments, price."""
_Values = dict[str, dict[str, Cell]]


def day_of(seconds: float) -> str:
    """Return the day of a time in the device's time zone: `2026-11-30`."""
    return time.strftime("%Y-%m-%d", time.localtime(seconds))


class DaySums:
    """Cells by day, dimension, value and state. A later state takes a message out of one cell and into another.

    Args:
        together: Whether it has those of `TOGETHER`, too; who only reads the others has them sooner without.
        only: The days that are taken of what is merged; None for all.
    """

    def __init__(self, *, together: bool = True, only: Collection[str] | None = None) -> None:
        self._days: dict[str, dict[str, _Values]] = {}
        self._only = only
        self._most_days = _MOST_DAYS if only is None else len(only)
        self._dimensions = (*DIMENSIONS, TOGETHER) if together else DIMENSIONS

    def add_line(self, line: ReportedMessage | LaterState | None) -> None:
        """Add what a line of the report says."""
        if isinstance(line, ReportedMessage):
            by = (line.egress, line.prefix, line.source)
            self._add(line.at, by, line.state, 1, line.segments, line.price)
        elif isinstance(line, LaterState) and line.was is not None:
            by = (line.egress, line.prefix, line.source)
            self._add(line.ended, by, line.was, -1, line.segments, line.price)
            self._add(line.ended, by, line.state, 1, line.segments, line.price)

    def _add(self, at: float, by: tuple[str, str, str], state: State, sign: int, segments: int, price: float) -> None:
        out = max(segments, 1) if state.went_out else 0
        day = self._day(day_of(at))
        more = (sign, sign * out, sign * price)
        for dimension, value in zip(DIMENSIONS, by, strict=True):
            _put(day[dimension], value, state.value, more, _MOST_VALUES)
        _put(day[TOGETHER], _BETWEEN.join(by), state.value, more, _MOST_TOGETHER)

    def merge(self, days: Mapping[str, Any]) -> None:
        """Add other sums, as `document` writes them.

        Raises:
            ValueError, TypeError, LookupError, AttributeError: They are none; nothing of them was added.
        """
        checked: list[tuple[str, dict[str, _Values]]] = []
        for day, dimensions in days.items():
            if self._only is not None and day not in self._only:
                continue
            time.strptime(day, "%Y-%m-%d")
            theirs = {dimension: dimensions[dimension] for dimension in self._dimensions}
            if TOGETHER in theirs:
                theirs[TOGETHER] = json.loads(theirs[TOGETHER])
            for values in theirs.values():
                _check_cells(values)
            checked.append((day, theirs))
        for day, theirs in checked:
            ours = self._day(day)
            for dimension, values in theirs.items():
                _merge_cells(ours[dimension], values, _MOST_TOGETHER if dimension == TOGETHER else _MOST_VALUES)

    def document(self) -> dict[str, Any]:
        """Return all cells that are not empty, as JSON takes them; those of `TOGETHER` as text that is JSON itself.

        There may be as many of them as of all others, and few pages need them: a text is read in no time.
        """
        days: dict[str, Any] = {}
        for day, dimensions in sorted(self._days.items()):
            days[day] = {
                dimension: {value: _filled(states) for value, states in values.items()}
                for dimension, values in dimensions.items()
            }
            if TOGETHER in days[day]:
                days[day][TOGETHER] = json.dumps(days[day][TOGETHER], separators=(",", ":"), ensure_ascii=False)
        return days

    def cells(self, dimension: str, days: Iterable[str]) -> Iterator[tuple[str, str, str, Cell]]:
        """Return day, value, state and cell of some days, in their order."""
        for day in days:
            for value, states in self._days.get(day, {}).get(dimension, {}).items():
                for state, cell in states.items():
                    if cell[0] or cell[1]:
                        yield day, value, state, cell

    def told_by(
        self, dimensions: Collection[str], days: Iterable[str]
    ) -> Iterator[tuple[str, dict[str, str], str, Cell]]:
        """Return day, values by dimension, state and cell of sums that tell these dimensions from each other.

        Of several dimensions there may be cells that were put together: each of their values is `OTHERS`.
        """
        if len(dimensions) < 2:
            (one,) = dimensions or (EGRESS,)
            for day, value, state, cell in self.cells(one, days):
                yield day, {one: value}, state, cell
            return
        for day, value, state, cell in self.cells(TOGETHER, days):
            names = [OTHERS] * len(DIMENSIONS) if value == OTHERS else value.split(_BETWEEN)
            yield day, dict(zip(DIMENSIONS, names, strict=True)), state, cell

    def values(self, dimension: str, days: Iterable[str]) -> set[str]:
        """Return the egresses, prefixes or users that there are on some days."""
        return {value for day in days for value in self._days.get(day, {}).get(dimension, ())}

    def _day(self, day: str) -> dict[str, _Values]:
        found = self._days.get(day)
        if found is None:
            if len(self._days) >= self._most_days:  # a clock that jumps about
                return self._days[min(self._days)]
            found = self._days[day] = {dimension: {} for dimension in self._dimensions}
        return found


def _put(values: _Values, value: str, state: str, more: tuple[int, int, float], most: int) -> None:
    states = values.get(value)
    if states is None:
        if len(values) >= most:
            value = OTHERS
        states = values.setdefault(value, {})
    cell = states.setdefault(state, [0, 0, 0.0])
    cell[0] += more[0]
    cell[1] += more[1]
    cell[2] = round(cell[2] + more[2], _DIGITS)


def _merge_cells(cells: _Values, theirs: _Values, most: int) -> None:
    if not cells and len(theirs) <= most:  # most days: a page reads thousands of cells
        cells.update(theirs)
        return
    for value, states in theirs.items():
        for state, (messages, segments, price) in states.items():
            _put(cells, value, state, (messages, segments, price), most)


def _check_cells(values: Mapping[str, Mapping[str, Cell]]) -> None:
    """Check what was read: a page reads thousands of cells.

    Raises:
        ValueError, TypeError, AttributeError: It is no cells.
    """
    for states in values.values():
        if not states.keys() <= _STATES:
            raise ValueError("it names a state that there is not")
        for cell in states.values():
            _messages, _segments, _price = cell
            sum(cell)  # numbers


def _filled(states: dict[str, Cell]) -> dict[str, Cell]:
    return {
        state: [messages, segments, int(price) if price == int(price) else price]
        for state, (messages, segments, price) in states.items()
        if messages or segments or price
    }
