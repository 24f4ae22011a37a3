"""The sheets about cohorts: who stays, by month of sign-up, channel and months in a package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.heat_map import heat_map
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.tables.frames import blanked, few_left_out, rows_of, too_few
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, Image, ResultColumn, ResultSheet, Value

if TYPE_CHECKING:
    import pandas as pd

    from fleetdesk.riders.cohorts import Cohorts

_KEPT, _AGE = "Rode (%)", "Months since sign-up"
_OF_ACTIVE = ("active", "revenue", "revenue_per_rider", "km_per_rider")
_FIGURES = ("active", "retention_pct", "revenue", "revenue_per_rider", "km_per_rider")
_MOST = 24
_CHANGES = ("upgraded", "downgraded", "cancelled")
_BANDS = {0: "0", 1: "1", 2: "2", 3: "3 to 5", 6: "6 to 11", 12: "12 to 23", 24: "24 and more"}


def cohort_sheets(found: Cohorts | None, settings: Settings) -> tuple[ResultSheet, ...]:
    """Cohorts with their heat map, channels, and when packages are changed. None = not asked."""
    return (
        _cells(found, settings),
        _channels(found, settings),
        _changes(found, settings),
    )


def _cells(found: Cohorts | None, settings: Settings) -> ResultSheet:
    rows: list[tuple[Value, ...]] = []
    images: tuple[Image, ...] = ()
    note = "Not asked yet."
    if found is not None:
        shown = _hidden(found.cells, "cohort", settings).assign(
            name=[
                f"{cohort:%Y-%m} +{age}"
                for cohort, age in zip(
                    found.cells["cohort"], found.cells["age_months"], strict=True
                )
            ],
            cohort=[f"{cohort:%Y-%m}" for cohort in found.cells["cohort"]],
        )
        rows = rows_of(shown, ("name", "cohort", "age_months", "riders", *_FIGURES))
        images = _picture(shown)
        note = "Months that are over; empty = too few riders."
        if _tells_of_nobody(found, settings):
            total = f"{found.cells['revenue'].sum():,.2f} {settings.city.currency}"
            note = f"{note} Revenue of all, shown or not: {total}."
    return ResultSheet(
        sheet="Cohorts",
        title=f"Who stays, by month of sign-up: {settings.city.name}",
        note=note,
        table_name="Cohorts",
        columns=(
            ResultColumn("Cohort and age", CellStyle.TEXT, 15),
            ResultColumn("Signed up in", CellStyle.TEXT, 12),
            ResultColumn(_AGE, CellStyle.INTEGER, 11, "0 = the month of the sign-up."),
            *_columns(settings),
        ),
        rows=rows,
        key="Cohort and age",
        images=images,
    )


def _channels(found: Cohorts | None, settings: Settings) -> ResultSheet:
    rows = []
    if found is not None:
        table = found.channels.assign(
            name=[
                f"{channel} +{age}"
                for channel, age in zip(
                    found.channels["channel"], found.channels["age_months"], strict=True
                )
            ]
        )
        rows = rows_of(
            _hidden(table, "channel", settings),
            ("name", "channel", "age_months", "riders", *_FIGURES),
        )
    return ResultSheet(
        sheet="Channels",
        title="Which channels bring riders who stay",
        note="Of riders who have been here that long; empty = too few.",
        table_name="Channels",
        columns=(
            ResultColumn("Channel and age", CellStyle.TEXT, 22),
            ResultColumn("Channel", CellStyle.TEXT, 16),
            ResultColumn(_AGE, CellStyle.INTEGER, 11),
            *_columns(settings),
        ),
        rows=rows,
        key="Channel and age",
    )


def _changes(found: Cohorts | None, settings: Settings) -> ResultSheet:
    rows: list[tuple[Value, ...]] = []
    if found is not None:
        ages = found.changes["age_months"]
        table = found.changes.assign(
            band=[_BANDS[max(first for first in _BANDS if first <= age)] for age in ages]
        )
        table = table.groupby("band", sort=False).agg(
            at_risk=("at_risk", "first"), **{name: (name, "sum") for name in _CHANGES}
        ).reset_index()  # fmt: skip
        rows = rows_of(
            few_left_out(table, ("at_risk", *_CHANGES), settings), ("band", "at_risk", *_CHANGES)
        )
    colours = palette()
    return ResultSheet(
        sheet="Package changes",
        title="When riders change or leave a package",
        note=f"By full months in the package: {settings.city.name}. Empty = too few to show.",
        table_name="PackageChanges",
        columns=(
            ResultColumn("Months in package", CellStyle.TEXT, 13),
            ResultColumn("Were in it", CellStyle.INTEGER, 10, "At the first of these months."),
            ResultColumn("Upgraded", CellStyle.INTEGER, 11),
            ResultColumn("Downgraded", CellStyle.INTEGER, 13),
            ResultColumn("Cancelled", CellStyle.INTEGER, 10),
        ),
        rows=rows,
        key="Months in package",
        charts=(
            Chart(
                ChartKind.STACKED, "When riders change or leave", "Months in package", "Riders",
                "", "Months in package",
                (
                    Series("Upgraded", colours.category(2)),
                    Series("Downgraded", colours.category(0)),
                    Series("Cancelled", colours.alert),
                ),
            ),
        ),
    )  # fmt: skip


def _columns(settings: Settings) -> tuple[ResultColumn, ...]:
    money = settings.city.currency
    return (
        ResultColumn("Riders", CellStyle.INTEGER, 9, "Who signed up."),
        ResultColumn("Rode", CellStyle.INTEGER, 9),
        ResultColumn(_KEPT, CellStyle.PERCENT, 9),
        ResultColumn(f"Revenue ({money})", CellStyle.MONEY, 12, "Of trips, gross."),
        ResultColumn(f"Revenue per rider ({money})", CellStyle.MONEY, 12),
        ResultColumn("Km per rider", CellStyle.DECIMAL, 10),
    )


def _hidden(cells: pd.DataFrame, by: str, settings: Settings) -> pd.DataFrame:
    """Cells without the figures of few riders: all ages of a small group hide together.

    Cohorts and channels share the riders of an age, so neither may tell by its sum what the other
    hides there.
    """
    small = too_few(cells.groupby(by)["riders"].max(), settings)
    few = cells[by].map(small).astype(bool)
    unsaid = few.copy()
    for _, age in cells.groupby("age_months"):
        few[age.index] = too_few(age["riders"], settings, few[age.index])
        unsaid[age.index] = too_few(age["active"], settings, few[age.index])
    shown = blanked(cells, unsaid, _OF_ACTIVE)
    return blanked(shown, few, ("riders", "retention_pct"))


def _tells_of_nobody(found: Cohorts, settings: Settings) -> bool:
    """Whether the revenue of all, less what a sheet shows, is of nobody or of enough riders."""
    for cells, by in ((found.cells, "cohort"), (found.channels, "channel")):
        unsaid = _hidden(cells, by, settings)["revenue"].isna()
        if 0 < cells.loc[unsaid, "active"].sum() < settings.riders.smallest_group:
            return False
    return True


def _picture(shown: pd.DataFrame) -> tuple[Image, ...]:
    table = shown.pivot(index="cohort", columns="age_months", values="retention_pct")
    table = table.dropna(how="all").iloc[-_MOST:, :_MOST]
    values = [
        [None if value is None or value != value else float(value) for value in row]
        for row in table.to_numpy().tolist()
    ]
    found = heat_map(
        [str(name) for name in table.index], [str(age) for age in table.columns], values,
        title="Riders who rode, %", row_title="Signed up in", column_title=_AGE,
    )  # fmt: skip
    return (found,) if found else ()
