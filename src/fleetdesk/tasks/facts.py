"""What the records tell of each vehicle, looked up only where a rule in use asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fleetdesk.features.upkeep import upkeep
from fleetdesk.features.zones import NO_RULE, closed, deciding
from fleetdesk.model.fleet import NoParking, VehicleFacts, VehicleNow
from fleetdesk.model.places import Point
from fleetdesk.model.work import Rule
from fleetdesk.settings.schema import Settings
from fleetdesk.tasks.rules import NEED_FACTS, in_use


def vehicle_facts(
    tables: Mapping[str, Any], fleet: Sequence[VehicleNow], settings: Settings, as_of: datetime
) -> Mapping[str, VehicleFacts]:
    """The facts of each vehicle of the fleet by its id; empty where no rule in use needs any.

    `tables` are the canonical ones; nothing after `as_of` (UTC-aware) is looked at.
    """
    asked = {rule.rule for rule in in_use(settings.task_rules)} & NEED_FACTS
    if not asked:
        return {}
    zones = _zones(tables, fleet, settings, as_of) if Rule.NO_PARK_ZONE in asked else {}
    rows = _upkeep(tables, as_of) if asked - {Rule.NO_PARK_ZONE} else {}
    return {
        vehicle.vehicle_id: _facts(
            vehicle.vehicle_id,
            rows.get(vehicle.vehicle_id, {}),
            zones.get(vehicle.vehicle_id, ""),
        )
        for vehicle in fleet
    }


def _facts(vehicle_id: str, row: Mapping[str, Any], zone: str) -> VehicleFacts:
    if not row:
        return VehicleFacts(vehicle_id, no_park_zone=zone)
    moved_m = 0.0
    if row["ping_lat"] is not None:
        left = Point(row["left_lat"], row["left_lon"])
        moved_m = left.distance_m(Point(row["ping_lat"], row["ping_lon"]))
    return VehicleFacts(
        vehicle_id,
        days_since_service=row["days_since_service"],
        km=row["km"],
        rides=row["rides"],
        ridden_h=row["ridden_h"],
        open_complaints=row["open_complaints"],
        moved_m=moved_m,
        no_park_zone=zone,
    )


def _upkeep(tables: Mapping[str, Any], as_of: datetime) -> dict[str, Mapping[str, Any]]:
    rows = upkeep(
        tables["events"],
        tables["trips"],
        tables["telemetry"],
        tables["service_tasks"],
        tables["complaints"],
        as_of,
    )
    return {row["vehicle_id"]: row for row in rows.to_pyarrow().to_pylist()}


def no_parking(
    tables: Mapping[str, Any], settings: Settings, as_of: datetime
) -> tuple[NoParking, ...]:
    """The zones of the table ZONES in which vehicles may not stand at that moment (UTC-aware)."""
    found = closed(tables["zones"].to_pyarrow(), at=as_of, timezone=settings.city.timezone)
    return tuple(
        NoParking(
            name,
            tuple(
                tuple(tuple(Point(lat, lon) for lon, lat in ring.tolist()) for ring in polygon)
                for polygon in polygons
            ),
        )
        for name, polygons in found
    )


def _zones(
    tables: Mapping[str, Any], fleet: Sequence[VehicleNow], settings: Settings, as_of: datetime
) -> dict[str, str]:
    """The name of the zone that forbids each vehicle to stand where it stands."""
    zones = tables["zones"].to_pyarrow()
    if not (zones.num_rows and fleet):
        return {}
    kinds = {
        row["vehicle_id"]: row["vehicle_type"]
        for row in tables["vehicles"].select("vehicle_id", "vehicle_type").to_pyarrow().to_pylist()
    }
    rows = deciding(
        zones,
        "parking_allowed",
        [vehicle.at.lat for vehicle in fleet],
        [vehicle.at.lon for vehicle in fleet],
        at=as_of,
        timezone=settings.city.timezone,
        kinds=[kinds.get(vehicle.vehicle_id) for vehicle in fleet],
    )
    allowed, names = (zones.column(name).to_pylist() for name in ("parking_allowed", "name"))
    return {
        vehicle.vehicle_id: names[row]
        for vehicle, row in zip(fleet, rows.tolist(), strict=True)
        if row != NO_RULE and allowed[row] is False
    }
