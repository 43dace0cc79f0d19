"""Long lists, a part at a time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListPart:
    """Where in a list a page is; places are counted from 1.

    Attributes:
        first: The place of the first row that is shown.
        shown: How many rows are shown.
        of: How many there are.
        length: How many rows a page shows at most.
    """

    first: int
    shown: int
    of: int
    length: int

    @property
    def last(self) -> int:
        """The place of the last row that is shown."""
        return self.first + self.shown - 1

    @property
    def before(self) -> int:
        """Where the rows before these begin; 0 where there are none."""
        return max(1, self.first - self.length) if self.first > 1 else 0

    @property
    def after(self) -> int:
        """Where the rows after these begin; 0 where there are none."""
        return self.last + 1 if self.last < self.of else 0


def place_of(text: str) -> int:
    """Read the place of a row in an address or a form; the first of anything that is none."""
    return max(1, int(text)) if len(text) <= 6 and text.isascii() and text.isdecimal() else 1
