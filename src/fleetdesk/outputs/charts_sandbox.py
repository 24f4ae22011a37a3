"""The sheet Sandbox: what other thresholds would have meant on past days."""

from __future__ import annotations

from fleetdesk.fleet.sandbox import GRID, PastFleet, Trial
from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.wording import money, roi_name
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet, Value

_THRESHOLD = "Threshold (%)"


def sandbox_sheet(past: PastFleet | None, settings: Settings) -> ResultSheet:
    """Thresholds from 5 to 95 % and the one in use, per day of the past days."""
    currency, in_use = settings.city.currency, settings.thresholds.low_battery_pct
    trials = [past.trial(pct) for pct in sorted({*GRID, in_use})] if past and past.days else []
    return ResultSheet(
        sheet="Sandbox",
        title=f"Thresholds tried on past days: {settings.city.name}",
        note=_note(past, settings),
        table_name="Sandbox",
        columns=sandbox_columns(settings),
        rows=[trial_row(trial, settings) for trial in trials],
        key=_THRESHOLD,
        charts=(
            Chart(
                ChartKind.LINE,
                title="What each threshold would return a day",
                x_title="Threshold: swap batteries below this charge (%)",
                y_title="Expected ROI a day",
                unit=currency,
                categories=_THRESHOLD,
                series=(
                    Series(roi_header(settings), palette().category(0), "Expected ROI"),
                    Series("In use", palette().alert, f"In use: {in_use:g} %", mark=True),
                ),
                note="As the fleet stood at the start of each day, before travel.",
            ),
        ),
    )


def sandbox_columns(settings: Settings) -> tuple[ResultColumn, ...]:
    """The columns that sheet and command line share, and the mark of the threshold in use."""
    return (
        ResultColumn(_THRESHOLD, CellStyle.PERCENT, 12, "Only batteries below it are swapped."),
        ResultColumn("Swaps a day", CellStyle.DECIMAL, 10),
        ResultColumn(roi_header(settings), CellStyle.MONEY, 15, "Expected, before travel."),
        ResultColumn("Crew time at vehicles (h a day)", CellStyle.DECIMAL, 13, "Without travel."),
        ResultColumn(
            "Missed rides a day", CellStyle.DECIMAL, 11,
            "Rides that the vehicles left as they are will lack charge for.",
        ),
        ResultColumn("Cost/revenue (%)", CellStyle.PERCENT, 16),
        ResultColumn("In use", CellStyle.MONEY, 10),
    )  # fmt: skip


def trial_row(trial: Trial, settings: Settings) -> tuple[Value, ...]:
    """One threshold as a row of these columns."""
    in_use = trial.threshold_pct == settings.thresholds.low_battery_pct
    return (
        trial.threshold_pct,
        trial.swaps,
        trial.roi,
        trial.crew_h,
        trial.missed_rides,
        trial.cost_per_revenue_pct,
        trial.roi if in_use else None,
    )


def roi_header(settings: Settings) -> str:
    """Which ROI, a day, in which currency."""
    return f"{roi_name(settings)} ({settings.city.currency} a day)"


def _note(past: PastFleet | None, settings: Settings) -> str:
    if past is None or not past.days:
        return "There are no past days to try thresholds on yet."
    best = past.trial(None)
    return (
        f"{past.days} past days, each taken as it stood: what swaps change for the next day is not "
        f"followed. Swapping where ROI > 0 returns {money(best.roi, settings.city.currency)} a day "
        f"from {best.swaps:.1f} swaps. Try other settings with: fleetdesk sandbox."
    )
