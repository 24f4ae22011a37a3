"""What pings tell of contact and rides, for vehicles whose events and trips nobody records."""

from __future__ import annotations

from typing import Any

import ibis

from fleetdesk.features.cell_expressions import geohash_of, haversine_m
from fleetdesk.features.inferred import moment_id
from fleetdesk.features.membership import not_among
from fleetdesk.features.trips import ACROSS_GAP

CONTACT_GAP_S = 1800.0
"""A vehicle without a ping for longer is out of contact."""
_RIDING_KMH = 5.0  # faster than a vehicle is pushed; below, a move must show by its distance


def steps(telemetry: Any, trip_move_m: float) -> Any:
    """The pings that tell of contact lost or of a move, with the ping before; and each first one.

    One pass over TELEMETRY, each vehicle by itself. Columns: vehicle_id, from_at (null at a
    vehicle's first ping), at, from_lat, from_lon, lat, lon, from_pct, battery_pct, gap, moving.
    """
    in_order = ibis.window(group_by="vehicle_id", order_by="recorded_at")
    pairs = telemetry.select(
        "vehicle_id",
        "lat",
        "lon",
        "battery_pct",
        at=telemetry.recorded_at,
        from_at=telemetry.recorded_at.lag().over(in_order),
        from_lat=telemetry.lat.lag().over(in_order),
        from_lon=telemetry.lon.lag().over(in_order),
        from_pct=telemetry.battery_pct.lag().over(in_order),
    )
    pairs = pairs.mutate(
        gap_s=pairs["at"].delta(pairs.from_at, unit="microsecond") / 1e6,
        moved_m=haversine_m(pairs.from_lat, pairs.from_lon, pairs.lat, pairs.lon),
    )
    fast = pairs.moved_m * 3.6 > _RIDING_KMH * pairs.gap_s
    pairs = pairs.mutate(
        gap=(pairs.gap_s > CONTACT_GAP_S).fill_null(False),
        moving=((pairs.moved_m > trip_move_m) | fast).fill_null(False),
    )
    return pairs.filter(pairs.from_at.isnull() | pairs.gap | pairs.moving).drop("gap_s", "moved_m")


def rides(steps: Any, swaps: Any, trip_move_m: float) -> Any:
    """The moves as rows of the canonical TRIPS, `revenue` left empty.

    A ride is an unbroken row of moving pings from one place to another; one that comes back to
    where it began is not seen, and one in which the battery was swapped was a van's. A move while
    out of contact has an id that begins with "gap:".
    """
    moves = steps.filter(steps.moving)
    in_order = ibis.window(group_by="vehicle_id", order_by="at")
    goes_on = (
        (moves.from_at == moves["at"].lag().over(in_order))
        & ~moves.gap
        & ~moves.gap.lag().over(in_order)
    )
    moves = moves.mutate(begins=goes_on.fill_null(False).ifelse(0, 1))
    so_far = ibis.cumulative_window(group_by="vehicle_id", order_by="at")
    moves = moves.mutate(ride_no=moves.begins.sum().over(so_far))
    at = moves["at"]
    found = moves.group_by(["vehicle_id", "ride_no"]).agg(
        started_at=moves.from_at.min(),
        ended_at=at.max(),
        start_lat=moves.from_lat.argmin(at),
        start_lon=moves.from_lon.argmin(at),
        end_lat=moves.lat.argmax(at),
        end_lon=moves.lon.argmax(at),
        start_battery_pct=moves.from_pct.argmin(at),
        end_battery_pct=moves.battery_pct.argmax(at),
        out_of_contact=moves.gap.ifelse(1, 0).max(),
    )
    found = found.mutate(
        distance_m=haversine_m(found.start_lat, found.start_lon, found.end_lat, found.end_lon)
    )
    found = found.filter(found.distance_m > trip_move_m)
    head = (found.out_of_contact == 1).ifelse(ACROSS_GAP, "trip:")
    found = found.mutate(trip_id=head + moment_id(found, "started_at"))
    served = swaps.select(of=swaps.vehicle_id, swap_from_at=swaps.from_at, swap_at=swaps["at"])
    carried = found.inner_join(
        served,
        [
            found.vehicle_id == served.of,
            served.swap_from_at < found.ended_at,
            served.swap_at > found.started_at,
        ],
    )
    found = not_among(found, carried, "trip_id")
    return found.select(
        trip_id=found.trip_id,
        vehicle_id=found.vehicle_id,
        rider_id=ibis.null("string"),
        started_at=found.started_at,
        ended_at=found.ended_at,
        start_lat=found.start_lat,
        start_lon=found.start_lon,
        end_lat=found.end_lat,
        end_lon=found.end_lon,
        start_cell=geohash_of(found.start_lat, found.start_lon),
        end_cell=geohash_of(found.end_lat, found.end_lon),
        distance_m=found.distance_m,
        duration_s=found.ended_at.delta(found.started_at, unit="microsecond") / 1e6,
        start_battery_pct=found.start_battery_pct,
        end_battery_pct=found.end_battery_pct,
        revenue=ibis.null("float64"),
        inferred=ibis.literal(True),
    )
