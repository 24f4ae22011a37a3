"""How many free vehicles a cell had at each moment, and how many were taken out of so many."""

from __future__ import annotations

from typing import Any

import ibis

from fleetdesk.features.cell_expressions import coarser


def stock(exposure: Any, precision: int) -> Any:
    """One row per cell, UTC hour and number of free vehicles that stood there at once.

    Takes features.exposure. Columns: cell, hour_at, slot (local hour, + 24 at weekends), vehicles
    (1 and more; what lies beyond `MOST` counts as `MOST`), hours for which so many stood there,
    taken (how many riders took one of so many).
    """
    rows = exposure.mutate(
        cell=coarser(exposure.cell, precision),
        slot=exposure.is_weekend.ifelse(24, 0) + exposure.local_hour,
    )
    comes = rows.select("cell", "slot", "hour_at", "vehicle_id", at_h=rows.since_h,
                        change=ibis.literal(1, "int64"), left=ibis.literal(0, "int64"))  # fmt: skip
    goes = rows.select("cell", "slot", "hour_at", "vehicle_id", at_h=rows.until_h,
                       change=ibis.literal(-1, "int64"), left=rows.taken.cast("int64"))  # fmt: skip
    moves = ibis.union(comes, goes)
    order = [moves.at_h, moves.vehicle_id, moves.change]
    so_far = ibis.cumulative_window(group_by=["cell", "hour_at"], order_by=order)
    in_order = ibis.window(group_by=["cell", "hour_at"], order_by=order)
    moves = moves.mutate(
        after=moves.change.sum().over(so_far),
        lasts_h=(moves.at_h.lead().over(in_order) - moves.at_h).fill_null(0.0),
    )
    stood = moves.select(
        "cell", "hour_at", "slot", vehicles=moves.after, hours=moves.lasts_h,
        taken=ibis.literal(0, "int64"),
    )  # fmt: skip
    # Whoever is taken was still one of those that stood there.
    took = moves.filter(moves.left > 0).select(
        "cell", "hour_at", "slot", vehicles=moves.after + 1, hours=ibis.literal(0.0),
        taken=moves.left,
    )  # fmt: skip
    both = ibis.union(stood, took)
    both = both.filter(both.vehicles > 0)
    both = both.mutate(vehicles=(both.vehicles > MOST).ifelse(MOST, both.vehicles))
    return both.group_by("cell", "hour_at", "slot", "vehicles").agg(
        hours=both.hours.sum(), taken=both.taken.sum()
    )


MOST = 60
