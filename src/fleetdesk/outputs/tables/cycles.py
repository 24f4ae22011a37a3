"""The sheets Operating cycles (what each vehicle did between services) and Operational time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import pyarrow as pa

from fleetdesk.fleet.operational_time import (
    MARKS_H,
    PARIS_OVER_48_PCT,
    PARIS_UNDER_12_PCT,
    SUPPORT,
    OperationalTime,
)
from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.wording import local
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet, Value

SHOWN = 2000
MOST_GROUPS = 500
_OPERATIONAL = "Operational (h)"
_ENDED = "Ended"


def ledger_sheet(ledger: pa.Table | None, settings: Settings) -> ResultSheet:
    """One row per operating cycle of features.cycles, the latest first; at most `SHOWN`."""
    latest: Sequence[Mapping[str, Any]] = []
    if ledger is not None:
        order = [("ended_at", "descending"), ("vehicle_id", "ascending"),
                 ("cycle_no", "descending")]  # fmt: skip
        latest = ledger.sort_by(order).slice(0, SHOWN).to_pylist()
    censored = sum(not row["event_observed"] for row in latest)
    silent = sum(not row["end_declared"] for row in latest)
    of = f" of {ledger.num_rows}" if ledger is not None and ledger.num_rows > SHOWN else ""
    note = (
        f"{len(latest)}{of} cycles, the latest first: {censored} censored (still running, or the "
        f"view was lost), {silent} ended by something that nobody declared."
    )
    return ResultSheet(
        sheet="Operating cycles",
        title=f"Operating cycles: {settings.city.name}",
        note=f"{note} Times are local ({settings.city.timezone}).",
        table_name="OperatingCycles",
        columns=_ledger_columns(settings.city.currency),
        rows=[_ledger_row(row, settings) for row in latest],
        key="Cycle",
        charts=(
            Chart(
                ChartKind.LINE,
                title="How long the latest cycles ran",
                x_title="Cycles by the time they ended, the latest first",
                y_title="Operational time",
                unit="h",
                categories=_ENDED,
                series=(Series(_OPERATIONAL, palette().category(0), mark=True),),
                note=note,
            ),
        ),
    )


def operational_time_sheet(groups: Sequence[OperationalTime], settings: Settings) -> ResultSheet:
    """One row per cell and daypart, the city's first; at most `MOST_GROUPS`."""
    return ResultSheet(
        sheet="Operational time by cell",
        title=f"Operational time by cell and daypart: {settings.city.name}",
        note=(
            "How long cycles last by where and when they began (Kaplan-Meier with late entry). A "
            f"cell or daypart with fewer than {SUPPORT} ended cycles has the wider curve, named "
            f"in the last column. Paris, for comparison: {PARIS_UNDER_12_PCT:g} % end within "
            f"12 h, {PARIS_OVER_48_PCT:g} % last beyond 48 h (Laufer and Tang, 2019)."
        ),
        table_name="OperationalTimeByCell",
        columns=(
            ResultColumn("Where it began", CellStyle.TEXT, 16, "Cell, or the whole city."),
            ResultColumn("When it began", CellStyle.TEXT, 17, "Local time."),
            ResultColumn("Cycles ended", CellStyle.INTEGER, 10),
            ResultColumn("Cycles censored", CellStyle.INTEGER, 10, "Still running or lost."),
            *(
                ResultColumn(
                    f"At risk at {mark:g} h", CellStyle.INTEGER, 10,
                    "Cycles still watched then: few make the curve uncertain.",
                )
                for mark in MARKS_H
            ),
            ResultColumn("Median (h)", CellStyle.DECIMAL, 10, "Half of the cycles last longer."),
            ResultColumn("Shorter than 12 h (%)", CellStyle.PERCENT, 12),
            ResultColumn("Paris, shorter than 12 h (%)", CellStyle.PERCENT, 13),
            ResultColumn("Longer than 48 h (%)", CellStyle.PERCENT, 12),
            ResultColumn("Paris, longer than 48 h (%)", CellStyle.PERCENT, 13),
            ResultColumn("Curve of", CellStyle.TEXT, 26, "Whose cycles the figures are from."),
        ),
        rows=[_time_row(group) for group in groups[:MOST_GROUPS]],
    )  # fmt: skip


def _ledger_columns(currency: str) -> tuple[ResultColumn, ...]:
    return (
        ResultColumn("Cycle", CellStyle.TEXT, 20, "Vehicle and the number of its cycle."),
        ResultColumn("Vehicle", CellStyle.TEXT, 16),
        ResultColumn("Started", CellStyle.DATETIME, 17),
        ResultColumn("Started by", CellStyle.TEXT, 13),
        ResultColumn("Entry cell", CellStyle.TEXT, 11),
        ResultColumn(_ENDED, CellStyle.DATETIME, 17, "Or the last moment that is known."),
        ResultColumn("Ended by", CellStyle.TEXT, 16),
        ResultColumn("Exit cell", CellStyle.TEXT, 11),
        ResultColumn("Censored?", CellStyle.TEXT, 11, "yes = its end was not seen."),
        ResultColumn(
            "End declared?", CellStyle.TEXT, 11,
            "no = read off other records, such as a battery that rose; empty = censored.",
        ),
        ResultColumn(_OPERATIONAL, CellStyle.DECIMAL, 12),
        ResultColumn("Pending (h)", CellStyle.DECIMAL, 10, "Waited for a crew after it."),
        ResultColumn("Task (h)", CellStyle.DECIMAL, 10, "From pick-up to drop-off after it."),
        ResultColumn("Trips", CellStyle.INTEGER, 8),
        ResultColumn(f"Gross revenue ({currency})", CellStyle.MONEY, 13),
        ResultColumn(f"Net revenue ({currency})", CellStyle.MONEY, 13),
        ResultColumn("Battery at entry (%)", CellStyle.PERCENT, 11),
        ResultColumn("Battery at exit (%)", CellStyle.PERCENT, 11),
        ResultColumn("Battery used (%)", CellStyle.PERCENT, 11),
    )  # fmt: skip


def _ledger_row(row: Mapping[str, Any], settings: Settings) -> tuple[Value, ...]:
    started, ended = (
        local(row[name].replace(tzinfo=UTC), settings) for name in ("started_at", "ended_at")
    )
    seen = row["event_observed"]
    return (
        f"{row['vehicle_id']} #{row['cycle_no']}",
        row["vehicle_id"],
        started,
        row["start_cause"],
        row["entry_cell"],
        ended,
        row["end_cause"].replace("_", " "),
        row["exit_cell"],
        "no" if seen else "yes",
        ("yes" if row["end_declared"] else "no") if seen else None,
        row["operational_h"],
        row["pending_h"],
        row["task_h"],
        row["trips"],
        row["revenue"],
        row["net_revenue"],
        row["entry_battery_pct"],
        row["exit_battery_pct"],
        row["battery_used_pct"],
    )


def _time_row(group: OperationalTime) -> tuple[Value, ...]:
    return (
        group.where,
        group.when,
        group.ended,
        group.censored,
        *group.at_risk,
        group.curve.median_h,
        group.under_12_pct,
        PARIS_UNDER_12_PCT,
        group.over_48_pct,
        PARIS_OVER_48_PCT,
        group.basis,
    )
