"""The sheet Rider months: how the key figures about riders went over the last months."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.tables.riders import COUNT, MONEY, NUMBER, PERCENT, TEXT, column, sheet
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultSheet

if TYPE_CHECKING:
    from fleetdesk.riders.kpis import RiderKpi

_DAYS = "Days"
_CURRENCY = "currency"
_SHOWN: tuple[tuple[str, CellStyle, str], ...] = (
    ("Monthly active riders", COUNT, "riders"), ("New riders a month", NUMBER, "riders"),
    ("Average revenue per rider", MONEY, _CURRENCY),
    ("Gross margin per rider a month", MONEY, _CURRENCY),
    ("Monthly recurring revenue", MONEY, _CURRENCY), ("Churn a month", PERCENT, "%"),
    ("Km per rider a month", NUMBER, "km"), ("Trips per rider a month", NUMBER, "trips"),
    ("Swaps per rider a month", NUMBER, "swaps"), ("Swap wait, mean", NUMBER, "min"),
    ("Vehicle uptime", PERCENT, "%"), ("Complaint rate", NUMBER, "per 1,000 trips"),
)  # fmt: skip
"""Figures of the sheet Rider KPIs with their units there."""


def rider_months_sheet(months: Sequence[Sequence[RiderKpi]], settings: Settings) -> ResultSheet:
    """One row per 30 days, oldest first; each figure by the formula of the sheet Rider KPIs."""
    named = [{kpi.name: kpi for kpi in month} for month in months]
    headers = {name: _header(name, unit, settings) for name, _, unit in _SHOWN}
    rows = [
        (month[0].window, *(known[name].value for name in headers))
        for month, known in zip(months, named, strict=True)
    ]
    active, new = (headers[name] for name, *_ in _SHOWN[:2])
    colours = palette()
    return sheet(
        "Rider months", "How the key figures about riders went",
        "Of 30 days each, oldest first, as far as the records reach back; the last row is that of "
        "the sheet Rider KPIs, which has the formulas. Empty = not known, or of too few riders.",
        [column(_DAYS, TEXT, 24), *(column(headers[name], style, 13) for name, style, _ in _SHOWN)],
        rows, settings, key=_DAYS,
        charts=(
            Chart(
                ChartKind.COLUMN, "Riders of each month", _DAYS, "Riders", "", _DAYS,
                (
                    Series(active, colours.category(0), "Active"),
                    Series(new, colours.category(1), "New"),
                ),
            ),
            Chart(
                ChartKind.LINE, "Churn a month", _DAYS, "Churn", "%", _DAYS,
                (Series(headers["Churn a month"], colours.alert, "Churn"),),
            ),
        ),
    )  # fmt: skip


def _header(name: str, unit: str, settings: Settings) -> str:
    """The name with its unit, where the name does not say it already."""
    unit = settings.city.currency if unit == _CURRENCY else unit
    return name if unit in name.lower() else f"{name} ({unit})"
