"""Whether a public feed's vehicle ids last, told from what the snapshots show.

GBFS has ids change after each trip, so that riders cannot be followed; many feeds do, some with
each snapshot, some never. What is inferred from two sightings of one id is true only where ids
last, so that has to be shown first. The rule is written down in docs/sources/gbfs.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fleetdesk.model.fleet import ONCE
from fleetdesk.model.places import EARTH_RADIUS_M

SAME_SPOT_M = 2.0  # a standing vehicle reports no new position, or the same
MOVED_M = 150.0  # farther than a position's error, nearer than a trip's length
LEAST_STOOD = 10
LEAST_NEW, NEW_SHARE = 20, 0.25
LEAST_MOVED, MANY_MOVED = 3, 20
REMEMBERED_SNAPSHOTS = 50
_MOST_KNOWN = 500_000
Floats = npt.NDArray[np.float64]


class Verdict(StrEnum):
    """What is known of a feed's ids."""

    LASTING = "lasting"
    ROTATING = "rotating"
    UNPROVEN = "unproven"


@dataclass
class IdEvidence:
    """Counts over the snapshots shown to it, in the order of time.

    `stood` vehicles were found again at their spot, `kept` of them under the same id; `moved` ids
    were seen at places apart; `fresh` ids appeared that the snapshots before had not shown.
    `before` is the verdict of an earlier import: it stands until there is evidence against it.
    """

    before: Verdict = Verdict.UNPROVEN
    stood: int = 0
    kept: int = 0
    fresh: int = 0
    moved: set[str] = field(default_factory=set)
    _first: dict[str, tuple[float, float]] = field(default_factory=dict)
    _last: tuple[list[str], Floats] | None = None
    _present: int = 0

    def see(self, ids: Sequence[str], lat: Floats, lon: Floats) -> None:
        """Take in the next snapshot."""
        places = np.column_stack([lat, lon])
        if self._last is not None:
            self._compare(*self._last, list(ids), places)
        for vehicle, place in zip(ids, places.tolist(), strict=True):
            known = self._first.get(vehicle)
            if known is None:
                if len(self._first) < _MOST_KNOWN:
                    self._first[vehicle] = place[0], place[1]
                self.fresh += self._last is not None
            elif vehicle not in self.moved and _apart_m(known, place) > MOVED_M:
                self.moved.add(vehicle)
        self._last = list(ids), places
        self._present = max(self._present, len(places))

    @property
    def verdict(self) -> Verdict:
        """What the counts show, or else what was known before."""
        moved = len(self.moved)
        if self.stood >= LEAST_STOOD and self.kept < self.stood / 2:
            return Verdict.ROTATING
        if self.fresh >= max(LEAST_NEW, NEW_SHARE * self._present) and moved < self.fresh / 10:
            return Verdict.ROTATING
        least = MANY_MOVED if self.before is Verdict.ROTATING else LEAST_MOVED
        if moved >= least and moved >= self.fresh / 2:
            return Verdict.LASTING
        return self.before

    def facts(self) -> dict[str, float]:
        """Figures for the report under their labels; none before there is anything to compare."""
        if not (self.stood or self.moved or self.fresh):
            return {}
        return {
            "vehicles found again at their spot": self.stood,
            "of those under the same id": self.kept,
            "ids seen at places apart": len(self.moved),
            "ids that appeared later": self.fresh,
        }

    def note(self) -> str:
        """The verdict as a sentence."""
        if self.verdict is Verdict.LASTING:
            return "Vehicle ids last: moves of one id are taken for trips."
        kept_as = (
            "each sighting stands for itself; only the newest snapshot counts, and no trips, swaps "
            "or histories are built"
        )
        if self.verdict is Verdict.ROTATING:
            when = "between snapshots" if self.kept < self.stood / 2 else "after trips"
            return f"Vehicle ids rotate {when}: {kept_as}."
        return (
            f"Whether vehicle ids last is not known yet, so {kept_as} until ids have been seen to "
            "stay with moving vehicles. Import again later, or use --option polls."
        )

    def _compare(
        self, ids: list[str], places: Floats, next_ids: list[str], next_places: Floats
    ) -> None:
        """Count vehicles that stand alone at a spot where one stood alone before."""
        if not len(places) or not len(next_places):
            return
        from scipy.spatial import cKDTree

        here, there = _metres(places, places[0]), _metres(next_places, places[0])
        before, after = cKDTree(here), cKDTree(there)
        near = after.query_ball_point(here, SAME_SPOT_M, return_length=True)
        own = before.query_ball_point(here, SAME_SPOT_M, return_length=True)
        alone = np.flatnonzero((near == 1) & (own == 1))
        if len(alone):
            _, found = after.query(here[alone])
            self.stood += len(alone)
            self.kept += sum(
                ids[one] == next_ids[other] for one, other in zip(alone, found, strict=True)
            )


def remembered(sightings: Any, before: Verdict, until: datetime) -> IdEvidence:
    """The evidence of the last snapshots before `until` (UTC-aware) in the Ibis table SIGHTINGS.

    Without an earlier verdict, ids that were taken as they are were found to last.
    """
    from fleetdesk.features.calendar import moment

    sightings = sightings.filter(sightings.seen_at < moment(until))
    moments = sightings.select("seen_at").distinct()
    moments = moments.order_by(moments.seen_at.desc())
    newest = moments.limit(REMEMBERED_SNAPSHOTS).to_pyarrow().column("seen_at").to_pylist()
    if not newest:
        return IdEvidence(before)
    since = sightings.filter(sightings.seen_at >= moment(min(newest).replace(tzinfo=UTC)))
    rows = since.select("vehicle_id", "seen_at", "lat", "lon").order_by("seen_at").to_pyarrow()
    times = rows.column("seen_at").to_numpy()
    edges = [0, *(np.flatnonzero(times[1:] != times[:-1]) + 1).tolist(), len(times)]
    ids = rows.column("vehicle_id").to_pylist()
    lat, lon = (rows.column(name).to_numpy() for name in ("lat", "lon"))
    if before is Verdict.UNPROVEN and ONCE not in ids[-1]:
        before = Verdict.LASTING
    evidence = IdEvidence(before)
    for start, end in pairwise(edges):
        named = [feed_id(vehicle) for vehicle in ids[start:end]]
        evidence.see(named, lat[start:end], lon[start:end])
    return evidence


def once(ids: pa.Array, seen_at: pa.Array) -> pa.Array:
    """Ids that hold for one snapshot only: they carry its time, so no other snapshot has them."""
    times = pc.replace_substring(pc.strftime(seen_at, "%Y%m%dT%H%M%S"), ".000000", "")
    return pc.binary_join_element_wise(ids, times, ONCE)


def feed_id(vehicle: str) -> str:
    """The id as the feed had it."""
    return vehicle.rpartition(ONCE)[0] or vehicle


def _metres(places: Floats, origin: Floats) -> Floats:
    """Metres north and east of the origin; true enough for neighbours."""
    arc = np.radians(places - origin) * EARTH_RADIUS_M
    arc[:, 1] *= np.cos(np.radians(origin[0]))
    return np.asarray(arc, dtype=np.float64)


def _apart_m(one: tuple[float, float], other: list[float]) -> float:
    """The distance in metres on a flat map, for places in one city."""
    north = one[0] - other[0]
    east = (one[1] - other[1]) * float(np.cos(np.radians(one[0])))
    return float(np.radians(np.hypot(north, east))) * EARTH_RADIUS_M
