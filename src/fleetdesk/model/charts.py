"""What a chart shows, said once for the workbook, the desktop and pictures.

A chart names columns of the table it stands beside by their headers, never by addresses.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ChartKind(StrEnum):
    """How values are drawn over the categories.

    A column stands, a bar lies (for long category names); a stacked chart piles its series as
    columns; a step holds each value until the next category.
    """

    COLUMN = "column"
    BAR = "bar"
    LINE = "line"
    STEP = "step"
    STACKED = "stacked"


@dataclass(frozen=True, slots=True)
class Series:
    """One column of values in one colour (`#RRGGBB`), named by `label` or else by its header.

    `mark` draws its values as single points without a line (a threshold in use, a best value).
    """

    header: str
    colour: str
    label: str = ""
    mark: bool = False

    @property
    def name(self) -> str:
        """What the legend calls it."""
        return self.label or self.header


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart over a result table: `categories` and each series name a column by its header.

    `x_title` belongs to the categories and `y_title` to the values, wherever the kind puts them;
    `unit` is that of the values and is shown behind `y_title`. `note` is one line under the title.
    """

    kind: ChartKind
    title: str
    x_title: str
    y_title: str
    unit: str
    categories: str
    series: tuple[Series, ...]
    note: str = ""

    @property
    def value_title(self) -> str:
        """The values' title with their unit."""
        return f"{self.y_title} ({self.unit})" if self.unit else self.y_title

    @property
    def alt_text(self) -> str:
        """What is read out to those who cannot see the chart."""
        names = ", ".join(series.name for series in self.series)
        text = f"{self.title}: {names} by {self.x_title}"
        return f"{text}. {self.note}" if self.note else text
