"""The geometry of charts: of an SVG whose parts have presentation attributes, and no style."""

from dataclasses import dataclass

from otppi.admin.blocks.shown import ShownChart

WIDTH, HEIGHT = 600, 160
"""Of the field that a line is drawn in; it is stretched to the page."""
_MARGIN = 6


@dataclass(frozen=True, slots=True)
class ChartBar:
    """One bar: what it is called, its number, and where it begins and how long it is, in hundredths of the width."""

    name: str
    said: str
    start: float
    length: float


@dataclass(frozen=True, slots=True)
class ChartView:
    """A chart as it is drawn.

    Attributes:
        chart: The chart.
        bars: All its numbers; of a line they stand in the table below it.
        line: The points of the line, as SVG writes them.
        least, greatest: The least and greatest numbers, as people read them.
    """

    chart: ShownChart
    bars: tuple[ChartBar, ...]
    line: str
    least: str
    greatest: str


def picture_of(chart: ShownChart) -> ChartView:
    """Return where everything of a chart is."""
    given = [value for _name, value, _said in chart.points] or [0.0]
    greatest = max(map(abs, given)) or 1.0
    numbers = [value / greatest for value in given]  # the distance of two numbers may be greater than any number
    low, high = min(0.0, *numbers), max(0.0, *numbers)
    span = (high - low) or 1.0
    bars = tuple(
        ChartBar(name, said, round(100 * (min(0.0, value) - low) / span, 2), round(100 * abs(value) / span, 2))
        for (name, _value, said), value in zip(chart.points, numbers, strict=False)
    )
    said = sorted(((value, said) for _name, value, said in chart.points), key=lambda one: one[0]) or [(0.0, "")]
    return ChartView(chart, bars, _line(numbers, low, span), said[0][1], said[-1][1])


def _line(numbers: list[float], low: float, span: float) -> str:
    step = WIDTH / max(1, len(numbers) - 1)
    places = (
        (index * step, HEIGHT - _MARGIN - (value - low) / span * (HEIGHT - 2 * _MARGIN))
        for index, value in enumerate(numbers)
    )
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
