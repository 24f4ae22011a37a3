"""All table expressions there are; what compiles, lints and compares engines goes through these."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis

from fleetdesk.features import (
    after_hours,
    cell_hours,
    charges,
    cycle_checks,
    cycles,
    exposure,
    flows,
    rider_fleet,
    rider_outcomes,
    rider_periods,
    riders,
    sightings,
    standing,
    stays,
    stock,
    telemetry_cycles,
    trips,
    upkeep,
    vehicles,
    visits,
)
from fleetdesk.features.calendar import calendar
from fleetdesk.features.nullable import nullable
from fleetdesk.model.places import Point
from fleetdesk.settings.schema import Settings

KEYS = {
    "priced": ("trip_id",),
    "timeline": ("event_id",),
    "cycles": ("vehicle_id", "cycle_no"),
    "cell_hours": ("vehicle_id", "hour_at"),
    "after_hours": ("cell", "slot"),
    "exposure": ("vehicle_id", "hour_at", "since_h"),
    "flows": ("vehicle_id", "started_at"),
    "stock": ("cell", "hour_at", "vehicles"),
    "visits": ("vehicle_id", "cycle_no"),
    "vehicles_now": ("vehicle_id",),
    "standing": ("at", "vehicle_id"),
    "steps": ("vehicle_id", "seen_at"),
    "facts": (),
    "inferred_trips": ("trip_id",),
    "inferred_events": ("event_id",),
    "changes": ("vehicle_id", "at"),
    "swaps": ("vehicle_id", "at"),
    "moves": ("vehicle_id", "at"),
    "last_pings": ("vehicle_id",),
    "charges_beside": ("event_id",),
    "told_events": ("event_id",),
    "told_trips": ("trip_id",),
    "repeats": ("event_id",),
    "chains": ("trip_id",),
    "repositioned": ("event_id",),
    "upkeep": ("vehicle_id",),
    "riders_over": ("rider_id", "at"),
    "outcomes": ("rider_id", "at"),
    "vehicle_facts": ("vehicle_id",),
    "stays": ("rider_id", "stay_no"),
    "cancellations": ("package",),
    "purchases": ("rider_id",),
    "rider_periods": ("rider_id", "period"),
}


def expressions(
    tables: Mapping[str, Any], settings: Settings, start: datetime, end: datetime
) -> dict[str, Any]:
    """Each expression by name, over canonical tables, with the hours from `start` to `end`."""
    events, seen = tables["events"], tables["sightings"]
    priced = trips.priced(trips.countable(tables["trips"]), settings.costs)
    hours = calendar(start, end, settings.city.timezone)
    timeline = cycles.timeline(events, end)
    ledger = cycles.cycles(timeline, priced, end)
    stood = exposure.exposure(timeline, hours)
    # As if of some vehicles no events were recorded, and of some of these no trips either.
    recorded = events.filter(~events.vehicle_id.endswith("3") & ~events.vehicle_id.endswith("4"))
    ridden = tables["trips"].filter(~tables["trips"].vehicle_id.endswith("3"))
    recorded = recorded.mutate(battery_pct=recorded.battery_pct.nullif(100.0))
    limits = settings.thresholds
    pings = telemetry_cycles.pings(recorded, tables["telemetry"], limits, end)
    swapped = telemetry_cycles.undeclared_swaps(recorded, pings.changes, end)
    told = telemetry_cycles.with_telemetry(recorded, ridden, pings, swapped, limits, end)
    again = events.mutate(event_id="again:" + events.event_id)
    said_twice = ibis.union(nullable(events), nullable(again))
    late = tables["trips"].mutate(ended_at=tables["trips"].ended_at + ibis.interval(hours=5))
    # So far north that the vehicles out of service count as being nowhere.
    bounds = cycle_checks.Bounds(Point(60.0, 22.0), start, end)
    return {
        "repeats": cycle_checks.repeats(said_twice),
        "chains": cycle_checks.chains(late),
        "repositioned": cycle_checks.repositioned(events, bounds),
        "priced": priced,
        "timeline": timeline,
        "after_hours": after_hours.after_hours(
            cell_hours.cell_hours(timeline, priced, hours, end), 6
        ),
        "exposure": stood,
        "flows": flows.flows(priced, timeline, hours),
        "stock": stock.stock(stood, 6),
        "cycles": ledger,
        "visits": visits.visits(ledger, priced, end, 24.0),
        "cell_hours": cell_hours.cell_hours(timeline, priced, hours, end),
        "vehicles_now": vehicles.vehicles_now(events, tables["telemetry"], seen, priced, end),
        "standing": standing.standing(timeline, [start, start + (end - start) / 2]),
        "steps": sightings.steps(seen),
        "facts": sightings.facts(seen, settings.thresholds),
        "inferred_trips": sightings.inferred_trips(seen, settings),
        "inferred_events": sightings.inferred_events(seen, settings),
        "changes": pings.changes,
        "swaps": charges.swaps(pings.changes),
        "moves": pings.moves,
        "last_pings": pings.last,
        "charges_beside": pings.beside,
        "told_events": told.events,
        "told_trips": told.trips,
        "riders_over": riders.riders_over(tables, [start, end], settings),
        "outcomes": rider_outcomes.outcomes(tables, start, 1, settings.costs),
        "rider_periods": rider_periods.rider_periods(priced, end, 1, 3),
        "vehicle_facts": rider_fleet.vehicle_facts(tables, end),
        "stays": stays.stays(tables, end, start),
        "cancellations": stays.cancellations(tables, start, end),
        "purchases": stays.purchases(tables["trips"], end, settings),
        "upkeep": upkeep.upkeep(
            events, priced, tables["telemetry"], tables["service_tasks"], tables["complaints"], end
        ),
    }
