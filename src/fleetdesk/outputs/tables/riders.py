"""What the sheets about riders share."""

from __future__ import annotations

from collections.abc import Sequence

from fleetdesk.model.charts import Chart
from fleetdesk.model.feature_words import in_words
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, Image, ResultColumn, ResultSheet, Value

TEXT, COUNT, NUMBER = CellStyle.TEXT, CellStyle.INTEGER, CellStyle.DECIMAL
FINE = CellStyle.FINE
MONEY, PERCENT, WRAPPED = CellStyle.MONEY, CellStyle.PERCENT, CellStyle.WRAPPED
NOT_ASKED = "Not asked yet: set it to yes on the sheet Questions."


def sheet(
    name: str,
    question: str,
    note: str,
    columns: Sequence[ResultColumn],
    rows: Sequence[tuple[Value, ...]],
    settings: Settings,
    *,
    key: str | None = None,
    charts: tuple[Chart, ...] = (),
    images: tuple[Image, ...] = (),
) -> ResultSheet:
    """A result sheet titled by its question and the city."""
    return ResultSheet(
        sheet=name,
        title=f"{question}: {settings.city.name}",
        note=note,
        table_name=f"Riders{name}".replace(" ", "").replace("-", ""),
        columns=tuple(columns),
        rows=rows,
        key=key,
        charts=charts,
        images=images,
    )


def column(
    header: str, style: CellStyle = NUMBER, width: float = 12, help_: str = ""
) -> ResultColumn:
    """One column."""
    return ResultColumn(header, style, width, help_)


def number(value: float | None, digits: int = 4) -> float | None:
    """A rounded number; an empty cell for what is missing or without bounds."""
    if value is None or value != value or abs(value) == float("inf"):
        return None
    return round(float(value), digits)


def words(name: str) -> str:
    """A feature's name as a header."""
    told = in_words(name)
    return told[:1].upper() + told[1:]
