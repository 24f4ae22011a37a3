"""Battery swaps by riders: which trips one followed."""

from __future__ import annotations

from typing import Any

import ibis


def swapped_after(flows: Any, swaps: Any) -> Any:
    """Those rows of features.flows that a swap of RIDER_SWAPS followed before the next of the
    vehicle; the charge at their end has to be known. Columns: end_cell, left_pct.
    """
    in_order = ibis.window(group_by="vehicle_id", order_by="started_at")
    trips = flows.mutate(next_at=flows.started_at.lead().over(in_order))
    trips = trips.filter(trips.left_pct.notnull())
    swaps = swaps.select("swapped_at", swapped=swaps.vehicle_id)
    return trips.inner_join(
        swaps,
        [
            trips.vehicle_id == swaps.swapped,
            swaps.swapped_at >= trips.started_at,
            (swaps.swapped_at < trips.next_at) | trips.next_at.isnull(),
        ],
    ).select("end_cell", "left_pct")
