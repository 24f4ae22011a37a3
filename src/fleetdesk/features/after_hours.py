"""What vehicles did in the hours after each snapshot, in blocks, while they were still watched."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import ibis

EDGES_H = (0, 1, 3, 6, 12, 24, 48, 168)  # blocks lie between; nothing is looked at beyond the last


def after_hours(snapshots: Any, precision: int) -> Any:
    """One row per cell and local hour of the week's two parts, of all snapshots taken there.

    Takes features.cell_hours. Columns: cell, slot (local hour, + 24 at weekends), snapshots, and
    for each block k `hours_k` (vehicle hours at risk, up to the cycle's end) and `trips_k` started
    in them.
    """
    in_cycle = ibis.window(group_by=["vehicle_id", "cycle_no"], order_by="hour_at")
    # Within a cycle there is a snapshot at every full hour: the one k rows on is k hours later.
    later = {
        f"left_{edge}": snapshots.trips_to_end.lead(edge).over(in_cycle).coalesce(0)
        for edge in EDGES_H[1:]
    }
    rows = snapshots.mutate(
        cell=snapshots.cell.substr(0, precision),
        slot=(snapshots.local_weekday >= 6).ifelse(24, 0) + snapshots.local_hour,
        left_0=snapshots.trips_to_end,
        **later,
    )
    sums = {"snapshots": rows.count()}
    for number, (low, high) in enumerate(pairwise(EDGES_H)):
        watched = rows.hours_to_end.clip(lower=float(low), upper=float(high)) - float(low)
        sums[f"hours_{number}"] = watched.sum()
        sums[f"trips_{number}"] = (rows[f"left_{low}"] - rows[f"left_{high}"]).sum()
    return rows.group_by("cell", "slot").agg(**sums)
