"""The fleet at one moment: which vehicle stands at which parking, and how long it has stood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from fleetdesk.features.cells import geohash_many, haversine
from fleetdesk.fleet.capped_trips import Floats
from fleetdesk.model.fleet import VehicleNow
from fleetdesk.model.mds import EVENT_JOIN, EventType, VehicleState
from fleetdesk.model.places import Parking, Point

CELL_PRECISION = 7
# Riders and crews have the others, or nobody knows where they are.
STANDING = frozenset({VehicleState.AVAILABLE, VehicleState.RESERVED, VehicleState.NON_OPERATIONAL})
_CHUNK = 1000


def fleet_now(
    rows: Iterable[Mapping[str, Any]], parkings: Sequence[Parking], as_of: datetime
) -> tuple[VehicleNow, ...]:
    """The rows of features.vehicles (as mappings, in any order) with cell and parking, by id.

    A vehicle is at the nearest of the parkings whose own radius reaches it (distance <= radius_m),
    of equally near ones the first by id; it is at none while it is ridden, carried or out of sight.
    """
    ordered = sorted(rows, key=lambda row: str(row["vehicle_id"]))
    lats = np.array([row["lat"] for row in ordered], dtype=np.float64)
    lons = np.array([row["lon"] for row in ordered], dtype=np.float64)
    cells = geohash_many(lats, lons, CELL_PRECISION)
    places = _nearest_reaching(lats, lons, parkings)
    return tuple(
        VehicleNow(
            vehicle_id=row["vehicle_id"],
            at=Point(row["lat"], row["lon"]),
            cell=str(cell),
            battery_pct=row["battery_pct"],
            phase=row["phase"],
            vehicle_state=row["vehicle_state"],
            as_of=as_of,
            last_seen_at=_aware(row["last_seen_at"]),
            idle_h=row["idle_h"],
            out_of_charge=EventType.BATTERY_LOW.value in row["event_types"].split(EVENT_JOIN),
            parking_id=place if row["vehicle_state"] in STANDING else None,
        )
        for row, cell, place in zip(ordered, cells, places, strict=True)
    )


def counts(fleet: Iterable[VehicleNow], parkings: Iterable[Parking]) -> dict[str, int]:
    """How many vehicles stand at each parking; empty ones count 0."""
    there = Counter(vehicle.parking_id for vehicle in fleet)
    return {parking.parking_id: there[parking.parking_id] for parking in parkings}


def edge_distances_m(fleet: Sequence[VehicleNow], parkings: Sequence[Parking]) -> Floats:
    """Metres from each vehicle to the edge of the nearest parking; 0 inside, inf without any."""
    lats = np.array([vehicle.at.lat for vehicle in fleet])
    lons = np.array([vehicle.at.lon for vehicle in fleet])
    nearest = np.full(len(fleet), np.inf)
    radii = np.array([parking.radius_m for parking in parkings])
    for rows, metres in _distances(lats, lons, parkings):
        nearest[rows] = np.maximum(0.0, metres - radii).min(axis=1)
    return nearest


def _nearest_reaching(lats: Floats, lons: Floats, parkings: Sequence[Parking]) -> list[str | None]:
    by_id = sorted(parkings, key=lambda parking: parking.parking_id)
    radii = np.array([parking.radius_m for parking in by_id])
    found: list[str | None] = [None] * len(lats)
    for rows, metres in _distances(lats, lons, by_id):
        reaching = np.where(metres <= radii, metres, np.inf)
        best = reaching.argmin(axis=1)
        for row, column, metre in zip(
            rows, best, reaching[np.arange(len(best)), best], strict=True
        ):
            if np.isfinite(metre):
                found[row] = by_id[column].parking_id
    return found


def _distances(
    lats: Floats, lons: Floats, parkings: Sequence[Parking]
) -> Iterable[tuple[range, Floats]]:
    """Vehicle x parking metres, a thousand vehicles at a time to keep the memory small."""
    if not parkings:
        return
    to_lat = np.array([parking.at.lat for parking in parkings])
    to_lon = np.array([parking.at.lon for parking in parkings])
    for first in range(0, len(lats), _CHUNK):
        rows = range(first, min(first + _CHUNK, len(lats)))
        here = slice(rows.start, rows.stop)
        yield rows, haversine(lats[here, None], lons[here, None], to_lat, to_lon)


def _aware(when: datetime) -> datetime:
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
