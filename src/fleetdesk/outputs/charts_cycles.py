"""The sheet Operational time: how long vehicles run between two services, by daypart."""

from __future__ import annotations

from collections.abc import Sequence

from fleetdesk.fleet.cycle_length import CycleLength
from fleetdesk.fleet.operational_time import CITY, DAYPARTS, OperationalTime
from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import palette
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet, Value

_HOURS = "Operational hours (h)"
_SHARE = "Cycles still running (%)"
_MOST_ROWS = 120
_STEPS_H = (1.0, 2.0, 4.0, 6.0, 12.0, 24.0, 48.0)
_TAIL_PCT = 1.0
"""The curve ends where fewer cycles are left; beyond, single vehicles would stretch the chart."""


def survival_sheet(
    length: CycleLength, settings: Settings, groups: Sequence[OperationalTime] = ()
) -> ResultSheet:
    """The survival curve of operating cycles (Kaplan-Meier), read off at even steps in hours.

    `groups` give the curves of the dayparts beside that of the whole day; one without enough
    cycles is empty. Source: Kaplan and Meier (1958), with late entry.
    """
    end_h = _end_h(length)
    step_h = next((step for step in _STEPS_H if end_h / step <= _MOST_ROWS), end_h / _MOST_ROWS)
    own = {g.when: g.curve for g in groups if g.where == CITY and g.when.lower() in g.basis}
    rows: list[tuple[Value, ...]] = []
    if length.at_h:
        count = int(-(-end_h // step_h))
        hours = [step_h * index for index in range(count + 1)]
        rows = [
            (
                at,
                100.0 * (length.share_beyond(at) or 0.0),
                *(_pct(own.get(part), at) for part in DAYPARTS),
            )
            for at in hours
        ]
    median = length.median_h
    half = f"Half of the cycles last {median:.0f} h or more. " if median is not None else ""
    basis = f"{length.ended} cycles ended, {length.censored} still run or went out of sight."
    return ResultSheet(
        sheet="Operational time",
        title=f"Operational time: {settings.city.name}",
        note=(
            "Share of cycles that last beyond so many operational hours (Kaplan-Meier), by the "
            "daypart in which they began: " + basis
        ),
        table_name="OperationalTime",
        columns=(
            ResultColumn(_HOURS, CellStyle.INTEGER, 14),
            ResultColumn(_SHARE, CellStyle.PERCENT, 14),
            *(ResultColumn(part, CellStyle.PERCENT, 17) for part in DAYPARTS),
        ),
        rows=rows,
        key=_HOURS,
        charts=(
            Chart(
                ChartKind.STEP,
                title="How long vehicles run between two services",
                x_title=_HOURS,
                y_title="Cycles still running",
                unit="%",
                categories=_HOURS,
                series=(
                    Series(_SHARE, palette().category(0), label="All day"),
                    *(
                        Series(part, palette().category(number + 1))
                        for number, part in enumerate(DAYPARTS)
                    ),
                ),
                note=half + basis,
            ),
        ),
    )


def _pct(curve: CycleLength | None, hours: float) -> float | None:
    share = curve.share_beyond(hours) if curve else None
    return None if share is None else 100.0 * share


def _end_h(length: CycleLength) -> float:
    """Where the curve has fallen to its tail, or its last step."""
    steps = zip(length.at_h, length.surviving, strict=True)
    last = length.at_h[-1] if length.at_h else 0.0
    return next((at for at, share in steps if 100 * share <= _TAIL_PCT), last)
