"""The sheets about usage: next month by package, by rider, and how well it is foretold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.tables.frames import hidden_note, listed, rows_of, without_small
from fleetdesk.outputs.tables.riders import words
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet

if TYPE_CHECKING:
    import pandas as pd

    from fleetdesk.riders.usage import UsageForecast

_PACKAGE, _KM, _LAST = "Package", "Km foretold", "Km in the last period"
NO_PACKAGE = "pays per trip"


def usage_sheets(
    riders: pd.DataFrame | None, forecast: UsageForecast | None, settings: Settings
) -> tuple[ResultSheet, ...]:
    """By package, by rider, the models, and what they lean on. None = not asked yet."""
    days = settings.usage.horizon_days
    joined = None
    if riders is not None and forecast is not None:
        joined = riders[["rider_id", "package", "consent", "km"]].rename(columns={"km": "km_last"})
        joined = joined.merge(forecast.riders, on="rider_id", how="left")
    return (
        _by_package(joined, forecast, days, settings),
        _by_rider(joined, days, settings),
        _models(forecast, settings),
        _drivers(forecast),
    )


def _by_package(
    joined: pd.DataFrame | None, forecast: UsageForecast | None, days: int, settings: Settings
) -> ResultSheet:
    rows = []
    if joined is not None:
        groups = joined.assign(package=joined["package"].fillna(NO_PACKAGE)).groupby("package")
        table = groups.agg(
            riders=("rider_id", "size"), km_last=("km_last", "sum"), km=("km", "sum"),
            per_rider=("km", "mean"),
        ).reset_index()  # fmt: skip
        table = without_small(table, "riders", ("km_last", "km", "per_rider"), settings)
        rows = rows_of(table, ("package", "riders", "km_last", "km", "per_rider"))
    return ResultSheet(
        sheet="Usage forecast",
        title=f"Usage in the next {days} days: {settings.city.name}",
        note=forecast.note if forecast else "By package; not asked yet.",
        table_name="UsageForecast",
        columns=(
            ResultColumn(_PACKAGE, CellStyle.TEXT, 22),
            ResultColumn("Riders", CellStyle.INTEGER, 10, "Empty = too few to show."),
            ResultColumn(_LAST, CellStyle.INTEGER, 14),
            ResultColumn(_KM, CellStyle.INTEGER, 14),
            ResultColumn("Km per rider", CellStyle.DECIMAL, 12),
        ),
        rows=rows,
        key=_PACKAGE,
        charts=(
            Chart(
                ChartKind.COLUMN, "How far riders ride, and will ride", _PACKAGE, "Distance", "km",
                _PACKAGE,
                (Series(_LAST, palette().category(0)), Series(_KM, palette().category(1))),
                f"The last and the next {days} days.",
            ),
        ),
    )  # fmt: skip


def _by_rider(joined: pd.DataFrame | None, days: int, settings: Settings) -> ResultSheet:
    rows = []
    if joined is not None:
        shown = listed(joined, settings).sort_values(["km", "rider_id"], ascending=[False, True])
        rows = rows_of(shown, ("rider_id", "package", "km_last", "km", "low", "high"))
    return ResultSheet(
        sheet="Usage by rider",
        title=f"Usage by rider in the next {days} days",
        note=hidden_note(settings)
        or f"The interval holds {settings.usage.interval_pct:g} % of riders.",
        table_name="UsageByRider",
        columns=(
            ResultColumn("Rider", CellStyle.TEXT, 20),
            ResultColumn(_PACKAGE, CellStyle.TEXT, 18),
            ResultColumn(_LAST, CellStyle.DECIMAL, 12),
            ResultColumn(_KM, CellStyle.DECIMAL, 12),
            ResultColumn("From", CellStyle.DECIMAL, 10),
            ResultColumn("To", CellStyle.DECIMAL, 10),
        ),
        rows=rows,
        key="Rider",
    )


def _models(forecast: UsageForecast | None, settings: Settings) -> ResultSheet:
    scores = forecast.scores if forecast else ()
    rows = [
        (s.model + (" (chosen)" if s.chosen else ""), s.rmse_km, s.mape_pct, s.wape_pct, s.r2,
         s.coverage_pct, s.rows)
        for s in scores
    ]  # fmt: skip
    return ResultSheet(
        sheet="Usage models",
        title="How well usage is foretold",
        note="Models on the last period, which they had not seen.",
        table_name="UsageModels",
        columns=(
            ResultColumn("Model", CellStyle.TEXT, 30),
            ResultColumn("RMSE (km)", CellStyle.DECIMAL, 11),
            ResultColumn("MAPE (%)", CellStyle.PERCENT, 11, "Of riders who rode 1 km or more."),
            ResultColumn("WAPE (%)", CellStyle.PERCENT, 11, "Misses in all / km in all."),
            ResultColumn("R2", CellStyle.DECIMAL, 8),
            ResultColumn(
                "Interval held (%)", CellStyle.PERCENT, 11,
                f"Wanted: {settings.usage.interval_pct:g} %.",
            ),
            ResultColumn("Riders", CellStyle.INTEGER, 9),
        ),
        rows=rows,
        key="Model",
        charts=(
            Chart(
                ChartKind.BAR, "Errors of the models", "Model", "RMSE", "km", "Model",
                (Series("RMSE (km)", palette().category(0)),),
            ),
        ),
    )  # fmt: skip


def _drivers(forecast: UsageForecast | None) -> ResultSheet:
    rises = [(name, rise) for name, rise in (forecast.importance if forecast else ()) if rise > 0]
    name, worse = "What is known of a rider", "RMSE grows by (km)"
    return ResultSheet(
        sheet="Usage drivers",
        title="What tells how far riders will ride",
        note="How much the error of the chosen model grows when one thing known is shuffled.",
        table_name="UsageDrivers",
        columns=(ResultColumn(name, CellStyle.TEXT, 30), ResultColumn(worse, CellStyle.FINE, 14)),
        rows=[(words(feature), rise) for feature, rise in rises],
        key=name,
        charts=(
            Chart(
                ChartKind.BAR, "What counts most", name, "RMSE grows by", "km", name,
                (Series(worse, palette().category(2)),),
            ),
        ),
    )  # fmt: skip
