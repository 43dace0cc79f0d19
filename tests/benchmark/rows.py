"""A row of the benchmark: what was measured, what it is compared with, its budget; and how rows are shown."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit of the specification's section 10: what is judged is at least (or at most) so much.

    Args:
        limit: In the row's unit; a fraction where the ratio is judged.
        at_most: Whether it is an upper limit.
        of_ratio: Whether the ratio to the floor is judged rather than the measured value.
    """

    limit: float
    at_most: bool = False
    of_ratio: bool = False

    def met_by(self, value: float) -> bool:
        """Whether a value keeps the budget."""
        return value <= self.limit if self.at_most else value >= self.limit

    def shown(self, unit: str) -> str:
        """Write it as in the specification."""
        limit = f"{100 * self.limit:g} %" if self.of_ratio else f"{self.limit:g} {unit}".rstrip()
        return f"{'≤' if self.at_most else '≥'} {limit}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Args:
        what: What was measured.
        measured: The value; None where it could not be measured, `note` says why.
        unit: Unit of `measured` and `floor`.
        floor: The floor, or the ideal, from the same run.
        ratio: How the measured value stands to the floor, where that says something.
        budget: What it has to keep, if anything.
        note: One short remark.
        details: More numbers, for the JSON file.
    """

    what: str
    measured: float | None
    unit: str = ""
    floor: float | None = None
    ratio: float | None = None
    budget: Budget | None = None
    note: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether the budget is kept; None where there is none."""
        if self.budget is None:
            return None
        value = self.ratio if self.budget.of_ratio else self.measured
        return value is not None and self.budget.met_by(value)

    def cells(self) -> tuple[str, ...]:
        """Write the row's cells."""
        return (
            self.what,
            _number(self.measured, self.unit),
            _number(self.floor, self.unit) if self.floor is not None else "",
            f"{100 * self.ratio:.1f} %" if self.ratio is not None else "",
            self.budget.shown(self.unit) if self.budget else "",
            {None: "", True: "yes", False: "NO"}[self.met],
            self.note,
        )

    def as_json(self) -> dict[str, Any]:
        """Return everything for the JSON file."""
        return {
            "what": self.what,
            "measured": self.measured,
            "unit": self.unit,
            "floor": self.floor,
            "ratio": self.ratio,
            "budget": self.budget.shown(self.unit) if self.budget else None,
            "met": self.met,
            "note": self.note,
            "details": dict(self.details),
        }


_HEAD = ("what", "measured", "floor/ideal", "ratio", "budget", "met", "note")


def table(rows: Sequence[Row]) -> str:
    """Write the rows as one table."""
    lines = [_HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def write_json(path: Path, environment: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Write the rows and where they were measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"environment": dict(environment), "rows": [row.as_json() for row in rows]}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    digits = 0 if value == int(value) or abs(value) >= 1000 else 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f} {unit}".rstrip()
