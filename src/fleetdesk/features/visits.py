"""What crews did, read off the ledger: every service between two operating cycles of a vehicle."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ibis

from fleetdesk.features.calendar import hours_between, moment
from fleetdesk.features.cycles import within
from fleetdesk.model.mds import EndCause

NOT_SERVED = ("resumed", "first seen")
_BY_CREW = (EndCause.COLLECTED.value, EndCause.SWAPPED.value)
# These ends are part of what a vehicle was worth; at any other, crews or a lost view cut it off.
_ITS_OWN = (EndCause.BATTERY_LOW.value, EndCause.MAINTENANCE.value)
_HOUR_US = 3_600_000_000


def visits(ledger: Any, trips: Any, as_of: datetime, horizon_h: float) -> Any:
    """One row per service between two cycles of a vehicle.

    Takes the ledger of features.cycles and the priced TRIPS that it was made from.
    Columns: vehicle_id, cycle_no (of the cycle that it starts), started_at, done_at, start_cause,
    end_cause (of the cycle before), rentable_before, cell_before, cell_after, battery_before_pct,
    battery_after_pct, task_h, until_at, goes_on, cell_until, battery_until_pct, settled, revenue,
    net_revenue, next_at, cycle_revenue, cycle_net_revenue. `revenue` is counted up to `until_at`:
    `horizon_h` after the start, or when crews next took the vehicle or it went out of sight. In
    that case it would have gone on (`goes_on`) from `cell_until` with `battery_until_pct`.
    `settled` says that this moment lies before `as_of`. `next_at` is when the next service began
    (null while there was none) and `cycle_revenue` what the whole cycle earned.
    """
    in_order = ibis.window(group_by="vehicle_id", order_by="cycle_no")
    # Out of service and charged at once: a crew that takes the vehicle out of service to swap.
    swapped_there = (ledger.end_cause == EndCause.MAINTENANCE.value) & (
        ledger.start_cause.lead().over(in_order) == "charge"
    ).fill_null(False)
    ledger = ledger.mutate(swapped_there=swapped_there)
    rows = ledger.mutate(
        by_crew=ledger.end_cause.isin(_BY_CREW) | ledger.swapped_there,
        cause_before=ledger.end_cause.lag().over(in_order),
        ended_before_at=ledger.ended_at.lag().over(in_order),
        cell_before=ledger.exit_cell.lag().over(in_order),
        battery_before_pct=ledger.exit_battery_pct.lag().over(in_order),
        task_before_h=ledger.task_h.lag().over(in_order).coalesce(0.0),
        there_before=ledger.swapped_there.lag().over(in_order).fill_null(False),
    )
    rows = rows.mutate(crew_before=rows.by_crew.lag().over(in_order).fill_null(False))
    rows = rows.filter(rows.cause_before.notnull() & ~rows.start_cause.isin(NOT_SERVED))
    rows = rows.mutate(
        began_at=rows.there_before.ifelse(
            rows.ended_before_at, _earlier(rows.started_at, rows.task_before_h)
        )
    )
    rows = rows.mutate(next_at=rows.began_at.lead().over(in_order))
    horizon_at = _earlier(rows.began_at, ibis.literal(-horizon_h))
    cut = rows.by_crew | ~rows.end_cause.isin(_ITS_OWN)
    rows = rows.mutate(
        until_at=cut.ifelse(ibis.least(rows.ended_at, horizon_at), horizon_at),
        goes_on=cut & (rows.ended_at < horizon_at),
        settled=(horizon_at <= moment(as_of)) | (rows.end_cause != EndCause.END_OF_DATA.value),
    )
    counted = rows.select(
        "vehicle_id", "cycle_no", "started_at", ended_at=ibis.least(rows.until_at, rows.ended_at)
    )
    ridden = within(counted, trips, as_of)
    sums = ridden.group_by(["vehicle_id", "cycle_no"]).agg(
        counted_revenue=ridden.revenue.sum(), counted_net=ridden.net_revenue.sum()
    )
    rows = rows.left_join(sums, ["vehicle_id", "cycle_no"])
    return rows.select(
        "vehicle_id",
        "cycle_no",
        "start_cause",
        "cell_before",
        "battery_before_pct",
        "until_at",
        "goes_on",
        "settled",
        "next_at",
        started_at=rows.began_at,
        done_at=rows.started_at,
        end_cause=rows.cause_before,
        rentable_before=rows.crew_before,
        cell_after=rows.entry_cell,
        battery_after_pct=rows.entry_battery_pct,
        cell_until=rows.exit_cell,
        battery_until_pct=rows.exit_battery_pct,
        task_h=hours_between(rows.started_at, rows.began_at),
        revenue=rows.counted_revenue.coalesce(0.0),
        net_revenue=rows.counted_net.coalesce(0.0),
        cycle_revenue=rows.revenue,
        cycle_net_revenue=rows.net_revenue,
    )


def _earlier(at: Any, hours: Any) -> Any:
    return at - (hours * _HOUR_US).round().cast("int64").as_interval("us")
