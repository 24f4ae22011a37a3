"""What a public feed (GBFS) tells between its lines: steps between sightings, trips, events.

A public feed shows only vehicles that stand free. A vehicle that reappears elsewhere was ridden or
carried; one whose range rose by a lot was swapped or charged. A hole in the whole feed may hide
several trips or none, so what happens across one is kept apart from everything rates rest on.
"""

from __future__ import annotations

from typing import Any

import ibis

from fleetdesk.features.cell_expressions import haversine_m
from fleetdesk.features.inferred import INFERRED, moment_id
from fleetdesk.features.nullable import nullable
from fleetdesk.features.phases import has
from fleetdesk.features.trips import ACROSS_GAP
from fleetdesk.model.fleet import ONCE
from fleetdesk.model.mds import EVENT_JOIN, EventType, VehicleState
from fleetdesk.settings.schema import Settings, Thresholds

FEED_GAP_S = 1800.0  # six of the five-minute snapshots that feeds usually give


def steps(sightings: Any, *, feed_gap_s: float = FEED_GAP_S) -> Any:
    """One row per pair of consecutive sightings of one vehicle, from SIGHTINGS.

    Columns: vehicle_id, from_seen_at, seen_at, gap_s, moved_m, rise_m (null where a range is
    missing), from_/to_ of lat, lon, cell, range_m, battery_pct, is_reserved, is_disabled, and
    feed_gap: whether no snapshot of the whole feed came for more than `feed_gap_s` in between.
    """
    sightings = _with_feed_gap(sightings, feed_gap_s)
    in_order = ibis.window(group_by="vehicle_id", order_by="seen_at")
    before = {f"from_{name}": sightings[name].lag().over(in_order) for name in _CARRIED}
    after = {f"to_{name}": sightings[name] for name in _CARRIED}
    pairs = sightings.select(
        "vehicle_id",
        "seen_at",
        from_seen_at=sightings.seen_at.lag().over(in_order),
        holes=sightings.hole_no - sightings.hole_no.lag().over(in_order),
        **before,
        **after,
    )
    pairs = pairs.filter(pairs.from_seen_at.notnull())
    return pairs.select(
        "vehicle_id",
        "from_seen_at",
        "seen_at",
        *before,
        *after,
        gap_s=pairs.seen_at.delta(pairs.from_seen_at, unit="microsecond") / 1e6,
        moved_m=haversine_m(pairs.from_lat, pairs.from_lon, pairs.to_lat, pairs.to_lon),
        rise_m=pairs.to_range_m - pairs.from_range_m,
        feed_gap=pairs.holes > 0,
    )


_CARRIED = ("lat", "lon", "cell", "range_m", "battery_pct", "is_reserved", "is_disabled")


def facts(sightings: Any, thresholds: Thresholds) -> Any:
    """One row that says what a feed holds, before anything is inferred from it.

    Columns: rows, snapshots, vehicles, range_rises (at least the swap rise), rises_also_moved (of
    those, farther than a trip's move), range_before_rise_p25_m / p50 / p75, range_after_rise_p50_m
    and moves_without_rise. All steps count, feed gaps included.
    """
    pairs = _told(steps(sightings), thresholds)
    whole = sightings.agg(
        rows=sightings.count(),
        snapshots=sightings.seen_at.nunique(),
        vehicles=sightings.vehicle_id.nunique(),
    )
    rose, moved = pairs.rose, pairs.moved
    found = pairs.agg(
        range_rises=_count(pairs, rose),
        rises_also_moved=_count(pairs, rose & moved),
        range_before_rise_p25_m=pairs.from_range_m.quantile(0.25, where=rose),
        range_before_rise_p50_m=pairs.from_range_m.quantile(0.5, where=rose),
        range_before_rise_p75_m=pairs.from_range_m.quantile(0.75, where=rose),
        range_after_rise_p50_m=pairs.to_range_m.quantile(0.5, where=rose),
        moves_without_rise=_count(pairs, moved & ~rose),
    )
    return whole.cross_join(found)


def inferred_trips(sightings: Any, settings: Settings, *, feed_gap_s: float = FEED_GAP_S) -> Any:
    """The moves without a swap as rows of the canonical TRIPS, `revenue` left empty.

    Start and end are the sightings around the ride; distance is the greater of the straight line
    and the range used; the ridden time is that distance at the sheet's riding speed, at most the
    time between the sightings. Trips across a feed gap have an id that begins with "gap:". An id
    with `ONCE` is in one snapshot only and so gives no trip.
    """
    pairs = _told(steps(sightings, feed_gap_s=feed_gap_s), settings.thresholds)
    pairs = pairs.filter(pairs.moved & ~pairs.rose)
    distance_m = ibis.greatest(pairs.moved_m, (-pairs.rise_m).coalesce(0.0))
    riding_s = distance_m / 1000.0 / settings.costs.riding_speed_kmh * 3600.0
    return pairs.select(
        trip_id=pairs.feed_gap.ifelse(ACROSS_GAP, "trip:") + moment_id(pairs, "from_seen_at"),
        vehicle_id=pairs.vehicle_id,
        rider_id=ibis.null("string"),
        started_at=pairs.from_seen_at,
        ended_at=pairs.seen_at,
        start_lat=pairs.from_lat,
        start_lon=pairs.from_lon,
        end_lat=pairs.to_lat,
        end_lon=pairs.to_lon,
        start_cell=pairs.from_cell,
        end_cell=pairs.to_cell,
        distance_m=distance_m,
        duration_s=ibis.least(riding_s, pairs.gap_s),
        start_battery_pct=pairs.from_battery_pct,
        end_battery_pct=pairs.to_battery_pct,
        revenue=ibis.null("float64"),
        inferred=ibis.literal(True),
    )


def inferred_events(sightings: Any, settings: Settings, *, feed_gap_s: float = FEED_GAP_S) -> Any:
    """The MDS events that would explain the sightings, as rows of the canonical EVENTS.

    A trip leaves at one sighting and arrives at the next. A range rise is battery_charged where the
    vehicle stands still, a pick-up and drop-off where it moved. A feed gap, a vehicle out of sight
    for longer than that without a trip, and one that is gone for good are comms_lost (censored).
    Ids with `ONCE` tell of the present alone: they appear in the newest snapshot, or never.
    """
    pairs = _told(steps(sightings, feed_gap_s=feed_gap_s), settings.thresholds)
    pairs = pairs.mutate(
        unseen=pairs.feed_gap | (~pairs.rose & ~pairs.moved & (pairs.gap_s > feed_gap_s)),
        trip=pairs.moved & ~pairs.rose,
        carried=pairs.moved & pairs.rose,
    )
    first, last = _first_and_last(_without_past(sightings), feed_gap_s)
    told = (_leaving(pairs), _arriving(pairs), _appearing(first), _vanishing(last))
    return ibis.union(*(nullable(events) for events in told))


def _told(pairs: Any, thresholds: Thresholds) -> Any:
    """Mark what a step tells: `rose` = swapped or charged, `moved` = farther than a trip's move."""
    return pairs.mutate(
        rose=(pairs.rise_m >= thresholds.swap_rise_km * 1000.0).fill_null(False),
        moved=pairs.moved_m > thresholds.trip_move_m,
    )


def _with_feed_gap(sightings: Any, feed_gap_s: float) -> Any:
    """Number the holes of the whole feed, so that two sightings with one between them differ."""
    snapshots = sightings.select(snapshot_at=sightings.seen_at).distinct()
    in_order = ibis.window(order_by="snapshot_at")
    waited = snapshots.snapshot_at.delta(
        snapshots.snapshot_at.lag().over(in_order), unit="microsecond"
    )
    snapshots = snapshots.mutate(is_hole=(waited > feed_gap_s * 1e6).fill_null(False).ifelse(1, 0))
    so_far = ibis.cumulative_window(order_by="snapshot_at")
    numbered = snapshots.select("snapshot_at", hole_no=snapshots.is_hole.sum().over(so_far))
    joined = sightings.inner_join(numbered, sightings.seen_at == numbered.snapshot_at)
    return joined.drop("snapshot_at")


def _leaving(pairs: Any) -> Any:
    """What began at the earlier sighting of a step: a ride, a pick-up, or the view being lost."""
    gone = pairs.filter(pairs.unseen | pairs.trip | pairs.carried)
    return _event(
        gone,
        "from",
        when="from_seen_at",
        head="2:",  # sorts after an arrival at the same sighting
        state=ibis.cases(
            (gone.unseen, VehicleState.NON_CONTACTABLE.value),
            (gone.trip, VehicleState.ON_TRIP.value),
            else_=VehicleState.REMOVED.value,
        ),
        types=ibis.cases(
            (gone.unseen, EventType.COMMS_LOST.value),
            (gone.trip, EventType.TRIP_START.value),
            else_=EventType.MAINTENANCE_PICK_UP.value,
        ),
        trip=(gone.trip & ~gone.unseen),
    )


def _arriving(pairs: Any) -> Any:
    """What had happened by the later sighting of a step, and the flags that changed."""
    changed = (pairs.from_is_reserved != pairs.to_is_reserved) | (
        pairs.from_is_disabled != pairs.to_is_disabled
    )
    back = pairs.filter(pairs.unseen | pairs.trip | pairs.rose | changed)
    served = ibis.cases(
        (back.carried, EventType.PROVIDER_DROP_OFF.value),
        (back.rose, EventType.BATTERY_CHARGED.value),
        (back.unseen, ""),
        (back.trip, EventType.TRIP_END.value),
        else_="",
    )
    flag = _flag_event(back)
    types = ibis.cases(
        (back.unseen & (served != ""), EventType.COMMS_RESTORED.value + EVENT_JOIN + served),
        (back.unseen, EventType.COMMS_RESTORED.value),
        (served == "", flag),
        (back.to_is_disabled, served + EVENT_JOIN + EventType.UNSPECIFIED.value),
        (back.to_is_reserved, served + EVENT_JOIN + EventType.RESERVATION_START.value),
        else_=served,
    )
    return _event(
        back,
        "to",
        when="seen_at",
        head="1:",
        state=_flag_state(back, "to_"),
        types=types,
        trip=has(types, EventType.TRIP_END),
        trip_when="from_seen_at",
    )


def _appearing(first: Any) -> Any:
    return _event(
        first,
        "",
        when="seen_at",
        head="1:",
        state=_flag_state(first, ""),
        types=ibis.literal(EventType.COMMS_RESTORED.value),
        trip=ibis.literal(False),
    )


def _vanishing(last: Any) -> Any:
    return _event(
        last,
        "",
        when="seen_at",
        head="2:",
        state=ibis.literal(VehicleState.NON_CONTACTABLE.value),
        types=ibis.literal(EventType.COMMS_LOST.value),
        trip=ibis.literal(False),
    )


def _without_past(sightings: Any) -> Any:
    """Leave out sightings under an id with `ONCE` that are not the newest of all."""
    lasting = ~sightings.vehicle_id.contains(ONCE)
    newest = sightings.agg(
        newest_at=sightings.seen_at.max(), lasting_at=sightings.seen_at.max(where=lasting)
    )
    rows = sightings.cross_join(newest)
    alone = rows.lasting_at.isnull() | (rows.lasting_at < rows.newest_at)
    present = (rows.seen_at == rows.newest_at) & alone
    kept = rows.filter(~rows.vehicle_id.contains(ONCE) | present)
    return kept.drop("newest_at", "lasting_at")


def _first_and_last(sightings: Any, feed_gap_s: float) -> tuple[Any, Any]:
    """Each vehicle's first sighting, and the last of those that left the feed before its end."""
    spans = sightings.group_by("vehicle_id").agg(
        first_at=sightings.seen_at.min(), last_at=sightings.seen_at.max()
    )
    whole = sightings.agg(feed_end_at=sightings.seen_at.max())
    spans = spans.cross_join(whole)
    silent_us = spans.feed_end_at.delta(spans.last_at, unit="microsecond")
    gone = spans.filter(silent_us > feed_gap_s * 1e6)
    first = sightings.semi_join(
        spans, [sightings.vehicle_id == spans.vehicle_id, sightings.seen_at == spans.first_at]
    )
    last = sightings.semi_join(
        gone, [sightings.vehicle_id == gone.vehicle_id, sightings.seen_at == gone.last_at]
    )
    return first, last


def _event(
    rows: Any,
    side: str,
    *,
    when: str,
    head: str,
    state: Any,
    types: Any,
    trip: Any,
    trip_when: str = "",
) -> Any:
    """The rows as canonical EVENTS; `trip` says which of them belong to an inferred trip."""
    prefix = f"{side}_" if side else ""
    trip_id = "trip:" + moment_id(rows, trip_when or when)
    return rows.select(
        event_id=INFERRED + moment_id(rows, when) + ":" + head,
        vehicle_id=rows.vehicle_id,
        event_at=rows[when],
        vehicle_state=state,
        event_types=types,
        lat=rows[f"{prefix}lat"],
        lon=rows[f"{prefix}lon"],
        cell=rows[f"{prefix}cell"],
        battery_pct=rows[f"{prefix}battery_pct"],
        trip_id=trip.ifelse(trip_id, ibis.null("string")),
    )


def _flag_state(rows: Any, prefix: str) -> Any:
    return ibis.cases(
        (rows[f"{prefix}is_disabled"], VehicleState.NON_OPERATIONAL.value),
        (rows[f"{prefix}is_reserved"], VehicleState.RESERVED.value),
        else_=VehicleState.AVAILABLE.value,
    )


def _flag_event(rows: Any) -> Any:
    return ibis.cases(
        (rows.to_is_disabled, EventType.UNSPECIFIED.value),
        (rows.to_is_reserved, EventType.RESERVATION_START.value),
        (rows.from_is_disabled, EventType.UNSPECIFIED.value),
        else_=EventType.RESERVATION_CANCEL.value,
    )


def _count(pairs: Any, mask: Any) -> Any:
    return pairs.vehicle_id.count(where=mask)
