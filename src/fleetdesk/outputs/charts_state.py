"""The sheet Fleet state: entropy, distance from the target and placement, hour by hour."""

from __future__ import annotations

from collections.abc import Sequence

from fleetdesk.fleet.placement import DAYS, HourState
from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import palette
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet

_HOUR, _ENTROPY, _KL = "Local hour", "Entropy (nats)", "Distance from target (nats)"
_SCORE = "Placement score (%)"


def fleet_state_sheet(hours: Sequence[HourState], settings: Settings) -> ResultSheet:
    """The mean of the last seven days at the start of each local hour."""
    colours = palette()
    apart = (
        (Series(_KL, colours.category(1), "Distance from target"),)
        if any(hour.divergence is not None for hour in hours)
        else ()
    )
    return ResultSheet(
        sheet="Fleet state",
        title=f"How the fleet stands over the day: {settings.city.name}",
        note=f"Mean of the last {DAYS} days, vehicles on the street at the start of each hour.",
        table_name="FleetState",
        columns=(
            ResultColumn(_HOUR, CellStyle.INTEGER, 10),
            ResultColumn("Rentable vehicles", CellStyle.DECIMAL, 11),
            ResultColumn(
                _ENTROPY, CellStyle.DECIMAL, 11,
                "-sum p log p over cells and charge: higher = more scattered.",
            ),
            ResultColumn(
                _KL, CellStyle.DECIMAL, 13,
                "Kullback-Leibler, from the parkings' targets; 0 = as wanted; empty = no targets.",
            ),
            ResultColumn(
                _SCORE, CellStyle.PERCENT, 12,
                "Riders that this layout meets within the hour / by the best layout of as many.",
            ),
        ),
        rows=[
            (hour.hour, hour.vehicles, hour.entropy, hour.divergence, hour.score_pct)
            for hour in hours
        ],
        key=_HOUR,
        charts=(
            Chart(
                ChartKind.LINE, "How scattered the fleet is over the day", _HOUR,
                "Nats", "", _HOUR,
                (Series(_ENTROPY, colours.category(0), "Entropy"), *apart),
                "Riders scatter the fleet and empty it, crews put it back.",
            ),
            Chart(
                ChartKind.LINE, "How well the fleet is placed over the day", _HOUR,
                "Placement score", "%", _HOUR, (Series(_SCORE, colours.category(2)),),
                "100 % = no other layout of as many vehicles would meet more riders.",
            ),
        ),
    )  # fmt: skip
