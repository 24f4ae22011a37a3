"""The sheets about batteries: how long each lasts, and what to order when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.tables.frames import rows_of
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet

if TYPE_CHECKING:
    import pandas as pd

    from fleetdesk.fleet.battery_health import BatteryOutlook

_MONTH = "Month"
_PLAN = ("month", "due", "due_so_far_low", "due_so_far", "due_so_far_high", "in_stock", "order")


def battery_health_sheets(
    batteries: Sequence[BatteryOutlook], plan: pd.DataFrame | None, note: str, settings: Settings
) -> tuple[ResultSheet, ...]:
    """Batteries by when they are worn, and replacements by month; months count from the moment."""
    limit, interval = settings.battery_plan.worn_below_pct, settings.usage.interval_pct
    ordered = sorted(
        batteries,
        key=lambda b: (b.months_left is None, b.months_left or 0.0, b.health_pct, b.battery_id),
    )
    colours = palette()
    return (
        ResultSheet(
            sheet="Battery outlook",
            title=f"How long batteries last: {settings.city.name}",
            note=f"Months until less than {limit:g} % health; {interval:g} % intervals. {note}",
            table_name="BatteryOutlook",
            columns=(
                ResultColumn("Battery", CellStyle.TEXT, 20),
                ResultColumn("Health (%)", CellStyle.PERCENT, 10),
                ResultColumn("Loses a month (%)", CellStyle.DECIMAL, 11, "Of its health when new."),
                ResultColumn("Months left", CellStyle.DECIMAL, 10, "Empty = no end in sight."),
                ResultColumn("From", CellStyle.DECIMAL, 9),
                ResultColumn("To", CellStyle.DECIMAL, 9),
                ResultColumn("Checks", CellStyle.INTEGER, 8),
                ResultColumn("Basis", CellStyle.TEXT, 40),
            ),
            rows=[
                (b.battery_id, b.health_pct, b.loss_pct_per_month, b.months_left, b.low, b.high,
                 b.checks, b.basis)
                for b in ordered
            ],
            key="Battery",
        ),
        ResultSheet(
            sheet="Battery orders",
            title="Batteries to replace and to order, by month",
            note=(
                f"Month 1 is the coming one; {settings.battery_plan.stock} in stock, "
                f"{settings.battery_plan.lead_months} months to deliver."
            ),
            table_name="BatteryOrders",
            columns=(
                ResultColumn(_MONTH, CellStyle.INTEGER, 8),
                ResultColumn("Due", CellStyle.INTEGER, 8),
                ResultColumn("Due so far, at least", CellStyle.INTEGER, 11),
                ResultColumn("Due so far", CellStyle.INTEGER, 10),
                ResultColumn("Due so far, at most", CellStyle.INTEGER, 11),
                ResultColumn("Left of the stock", CellStyle.INTEGER, 10),
                ResultColumn("Order", CellStyle.INTEGER, 8, "So that they come in time."),
            ),
            rows=rows_of(plan, _PLAN) if plan is not None else [],
            key=_MONTH,
            charts=(
                Chart(
                    ChartKind.COLUMN, "Batteries due and to order", _MONTH, "Batteries", "",
                    _MONTH,
                    (Series("Due", colours.alert), Series("Order", colours.category(0))),
                ),
            ),
        ),
    )  # fmt: skip
