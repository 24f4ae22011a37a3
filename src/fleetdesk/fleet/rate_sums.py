"""The sums that v0 divides: revenue and hours per cell and weekday, money and charge per trip."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fleetdesk.features.cell_expressions import coarser

REGION_PRECISION = 5  # about 5 km: wide enough to know what a trip there brings and uses
REGION_SUPPORT_TRIPS = 50.0  # a region with this many trips is trusted half


@dataclass(frozen=True, slots=True)
class Rate:
    """Revenue per operational hour after shrinkage, the raw ratio, and the vehicle hours behind."""

    per_h: float
    raw_per_h: float
    support_h: float


@dataclass(frozen=True, slots=True)
class Region:
    """What one trip brings and uses; `battery_per_trip_pct` is None where no charge is known."""

    revenue_per_trip: float
    battery_per_trip_pct: float | None
    trips: float


@dataclass(frozen=True, slots=True)
class RateSum:
    """Revenue and operational hours to the end of the cycle, summed over so many snapshots."""

    revenue: float
    hours: float
    snapshots: float

    def rate(self) -> Rate:
        """The ratio of the sums."""
        raw = self.revenue / self.hours if self.hours else 0.0
        return Rate(raw, raw, self.snapshots)

    def leaning_on(self, wider: RateSum, strength: float) -> Rate:
        """The ratio, trusted n / (n + strength) with n snapshots of its own, else the wider one."""
        own, prior = self.rate(), wider.rate()
        trust = self.snapshots / (self.snapshots + strength)
        return Rate(trust * own.per_h + (1 - trust) * prior.per_h, own.per_h, self.snapshots)


def rate_sums(snapshots: Any, precision: int, *, net: bool) -> dict[tuple[str, int], RateSum]:
    """Sums of features.cell_hours by cell and local weekday (1-7), in city currency and hours."""
    earned = snapshots.net_revenue_to_end if net else snapshots.revenue_to_end
    keyed = snapshots.select(
        "local_weekday",
        "hours_to_end",
        cell=coarser(snapshots.cell, precision),
        earned=earned,
    )
    sums = keyed.group_by(["cell", "local_weekday"]).agg(
        revenue=keyed.earned.sum(), hours=keyed.hours_to_end.sum(), snapshots=keyed.count()
    )
    rows = sums.order_by("cell", "local_weekday").to_pyarrow().to_pylist()
    # Engines add up in parallel; rounding takes away what the order of adding leaves behind.
    return {
        (row["cell"], row["local_weekday"]): RateSum(
            round(row["revenue"], 6), round(row["hours"], 6), float(row["snapshots"])
        )
        for row in rows
    }


def total(sums: Iterable[RateSum]) -> RateSum:
    """All of them together."""
    parts = list(sums)
    return RateSum(
        sum(part.revenue for part in parts),
        sum(part.hours for part in parts),
        sum(part.snapshots for part in parts),
    )


def regions_of(trips: Any, *, net: bool) -> tuple[dict[str, Region], Region]:
    """Revenue and charge per priced trip by region, each leaning on the city's, and the city's."""
    earned = trips.net_revenue if net else trips.revenue
    drop = trips.start_battery_pct - trips.end_battery_pct
    keyed = trips.select(
        region=coarser(trips.start_cell, REGION_PRECISION), earned=earned, drop=drop
    )
    # A rise within a trip is a rider's swap, not use.
    used = keyed["drop"] >= 0
    sums = keyed.group_by("region").agg(
        trips=keyed.count(),
        revenue=keyed.earned.sum(),
        used=keyed["drop"].sum(where=used),
        measured=keyed["drop"].count(where=used),
    )
    rows = sums.order_by("region").to_pyarrow().to_pylist()
    found = [
        (row["region"], row["trips"], round(row["revenue"], 6), round(row["used"] or 0.0, 6),
         row["measured"])
        for row in rows
    ]  # fmt: skip
    trips_n = sum(row[1] for row in found)
    measured_n = sum(row[4] for row in found)
    per_trip = sum(row[2] for row in found) / trips_n if trips_n else 0.0
    battery = sum(row[3] for row in found) / measured_n if measured_n else None
    k = REGION_SUPPORT_TRIPS
    regions = {
        name: Region(
            (revenue + k * per_trip) / (count + k),
            None if battery is None else (drop_sum + k * battery) / (measured + k),
            float(count),
        )
        for name, count, revenue, drop_sum, measured in found
        if name is not None  # trips without a position count for the city only
    }
    return regions, Region(per_trip, battery, float(trips_n))
