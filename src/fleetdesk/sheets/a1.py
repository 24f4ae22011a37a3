"""Cell addresses: `B5` <-> (row 5, column 2), and rectangles of cells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

MAX_ROW = 1_048_576
MAX_COLUMN = 16_384

_CELL = re.compile(r"^\$?([A-Za-z]{1,3})\$?([0-9]{1,7})$")


@lru_cache(maxsize=MAX_COLUMN)
def column_letters(column: int) -> str:
    """`1` -> `A`, `27` -> `AA`."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@lru_cache(maxsize=MAX_COLUMN)
def column_number(letters: str) -> int:
    """`A` -> `1`, `AA` -> `27`."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def address(row: int, column: int) -> str:
    """(5, 2) -> `B5`."""
    return f"{column_letters(column)}{row}"


def parse_address(text: str) -> tuple[int, int] | None:
    """`B5` -> (5, 2); None when it is no cell that a sheet can have."""
    found = _CELL.match(text)
    if found is None:
        return None
    row, column = int(found[2]), column_number(found[1])
    if not (1 <= row <= MAX_ROW and 1 <= column <= MAX_COLUMN):
        return None
    return row, column


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of cells, both corners included."""

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def parse(cls, ref: str) -> Area | None:
        """`A4:L104` or `A4`; None when it is not one rectangle of cells."""
        first, _, last = ref.partition(":")
        start = parse_address(first)
        end = parse_address(last or first)
        return cls(*start, *end) if start and end else None

    @property
    def ref(self) -> str:
        """`A4:L104`, or `A4` for a single cell."""
        start, end = address(self.top, self.left), address(self.bottom, self.right)
        return start if start == end else f"{start}:{end}"

    def holds(self, row: int, column: int) -> bool:
        """Whether the cell lies inside."""
        return self.top <= row <= self.bottom and self.left <= column <= self.right

    def meets(self, other: Area) -> bool:
        """Whether the two share a cell."""
        return not (
            self.bottom < other.top
            or other.bottom < self.top
            or self.right < other.left
            or other.right < self.left
        )


def rectangle(top: int, left: int, bottom: int, width: int) -> Area:
    """The area from a corner to a bottom row, so many columns wide."""
    return Area(top, left, bottom, left + width - 1)
