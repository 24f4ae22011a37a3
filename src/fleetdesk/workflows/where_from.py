"""Are these records of the city that the workspace holds? By where their middle lies."""

from __future__ import annotations

from statistics import median
from typing import Any

import pyarrow as pa

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.places import Point
from fleetdesk.store.base import Store

FARTHEST_KM = 50.0
ENOUGH = 10
"""Fewer positions may be a lost vehicle's; they are told of and taken in."""
_SAMPLE = 500
_NOTE = "centre"
_POSITIONS = {
    "events": "", "sightings": "", "telemetry": "", "parkings": "", "trips": "start_",
    "service_tasks": "from_",
}  # fmt: skip


class Whereabouts:
    """Positions of the rows that come in, a sample of each piece, against the store's middle."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lat: list[float] = []
        self._lon: list[float] = []

    def see(self, table: str, rows: pa.Table) -> None:
        """Note where some of the rows are."""
        prefix = _POSITIONS.get(table)
        if prefix is None:
            return
        every = slice(None, None, max(1, rows.num_rows // _SAMPLE))
        some = rows.select([f"{prefix}lat", f"{prefix}lon"]).drop_null()
        self._lat += some.column(0).to_pylist()[every]
        self._lon += some.column(1).to_pylist()[every]

    def check(self, *, another_city: bool) -> str:
        """Compare with the store's middle: SourceUnreadable, or a warning, or "" when it is near.

        The middle of a store's first records becomes the store's.
        """
        if not self._lat:
            return ""
        here = Point(median(self._lat), median(self._lon))
        centre = store_centre(self._store)
        if centre is None:
            self._store.keep_note(_NOTE, f"{here.lat:.5f} {here.lon:.5f}")
            return ""
        away_km = here.distance_m(centre) / 1000
        if away_km <= FARTHEST_KM:
            return ""
        told = (
            f"the middle of these records, {here.lat:.3f} {here.lon:.3f}, lies {away_km:.0f} km "
            f"from that of the workspace's, {centre.lat:.3f} {centre.lon:.3f}"
        )
        if another_city or len(self._lat) < ENOUGH:
            return f"WARNING: {told}."
        raise SourceUnreadable(
            "These seem to be another city's records",
            found=told,
            fix="Import them into a workspace of their own; if they do belong here, import with "
            "--another-city",
        )


def store_centre(store: Store) -> Point | None:
    """The middle of what the store's records saw; None while there is nothing."""
    kept = store.note(_NOTE)
    if kept:
        lat, lon = map(float, kept.split())
        return Point(lat, lon)
    tables = store.tables()
    for name, prefix in _POSITIONS.items():
        table: Any = tables[name]
        lat, lon = table[f"{prefix}lat"], table[f"{prefix}lon"]
        row = table.agg(lat=lat.median(), lon=lon.median()).to_pyarrow().to_pylist()[0]
        if row["lat"] is not None and row["lon"] is not None:
            return Point(round(row["lat"], 5), round(row["lon"], 5))
    return None
