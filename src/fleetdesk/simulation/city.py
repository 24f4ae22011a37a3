"""What is asked of a simulated city: its size, days, prices, riders and crews."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from fleetdesk.errors import FleetDeskError
from fleetdesk.simulation.places import PLACES


@dataclass(frozen=True, slots=True)
class PackagePrice:
    """A package: money a month, what its riders pay per trip, and the trips a month it suits.

    `trips_upto` is the monthly trip count above which the next package suits better.
    """

    name: str
    monthly_price: float
    unlock: float
    per_min: float
    trips_upto: float


PACKAGES: tuple[PackagePrice, ...] = (
    PackagePrice("Light Rider", 6.90, 0.50, 0.18, 14),
    PackagePrice("Daily Commuter", 14.90, 0.30, 0.15, 32),
    PackagePrice("Power User", 29.90, 0.00, 0.13, 60),
    PackagePrice("Enterprise", 59.00, 0.00, 0.10, 1e9),
)


@dataclass(frozen=True, slots=True)
class CitySpec:
    """A city to simulate; the same spec and seed always give the same records.

    The first record is at 00:00 UTC of `first_day`, the last before `ends_at`. Money in
    `currency`. `demand_per_day` counts riders who look for a vehicle on a mean day, served or not.
    """

    end_day: date
    days: int
    vehicles: int
    parkings: int
    riders: int
    demand_per_day: float
    name: str = "Thessaloniki (simulated)"
    timezone: str = "Europe/Athens"
    currency: str = "EUR"
    end_hour_utc: int = 24
    cell_reach_m: float = 650.0
    unlock: float = 1.00
    per_min: float = 0.20
    packages: tuple[PackagePrice, ...] = field(default=PACKAGES)
    subscriber_share: float = 0.3
    signups_per_day: float = 0.0
    outside_share: float = 0.17
    walk_mean_m: float = 380.0
    liking_m: float = 0.0
    usable_battery_pct: float = 10.0
    range_km: float = 38.0
    standby_pct_per_day: float = 1.5
    crew_strength: float = 1.0
    service_below_extra_pct: float = 0.0
    deployment_bias: float = 0.0
    swap_share: float = 0.8
    silent_swap_share: float = 0.6
    trip_ping_s: int = 300
    parked_ping_s: int = 300
    gps_error_m: float = 5.0
    weather_effect: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a city that cannot exist."""
        bounds = (
            ("days", self.days, 1, 4000),
            ("vehicles", self.vehicles, 1, 50_000),
            ("parkings", self.parkings, 1, len(PLACES)),
            ("riders", self.riders, 1, 5_000_000),
            ("end_hour_utc", self.end_hour_utc, 1, 24),
            ("trip_ping_s", self.trip_ping_s, 10, 86_400),
            ("parked_ping_s", self.parked_ping_s, 10, 86_400),
        )
        for name, value, low, high in bounds:
            if not low <= value <= high:
                raise FleetDeskError(
                    f"The simulated city cannot have {name} = {value}",
                    fix=f"Choose {name} from {low} to {high}",
                )

    @property
    def first_day(self) -> date:
        """The first UTC day with records."""
        return self.end_day - timedelta(days=self.days - 1)

    @property
    def starts_at(self) -> datetime:
        """The first moment, UTC without a zone as in the canonical tables."""
        return datetime.combine(self.first_day, time.min)

    @property
    def length_s(self) -> int:
        """Seconds from the first moment to the end."""
        return (self.days - 1) * 86_400 + self.end_hour_utc * 3600

    @property
    def ends_at(self) -> datetime:
        """The moment at which the records stop, UTC without a zone."""
        return self.starts_at + timedelta(seconds=self.length_s)


def demo_city(
    vehicles: int = 400,
    days: int = 30,
    end_day: date = date(2026, 6, 16),
    demand_per_vehicle: float = 9.0,
) -> CitySpec:
    """The demo: ends on a Tuesday at 22:00 local time, before the night crew has worked.

    Crews fall behind so many riders: where vehicles lack, one more of them is worth a drive.
    Parked vehicles ping every 15 minutes, riding ones every 5.
    """
    return CitySpec(
        end_day=end_day,
        days=days,
        vehicles=vehicles,
        parkings=min(len(PLACES), max(8, vehicles // 7)),
        riders=vehicles * 8,
        demand_per_day=vehicles * demand_per_vehicle,
        signups_per_day=vehicles * 0.03,
        end_hour_utc=19,
        parked_ping_s=900,
    )


def tiny_city(end_day: date = date(2026, 6, 16)) -> CitySpec:
    """A toy world to hold in the head: 2 parkings, 6 vehicles, 12 riders, 2 days."""
    return CitySpec(
        end_day=end_day,
        days=2,
        vehicles=6,
        parkings=2,
        riders=12,
        demand_per_day=40,
        name="Toy town (simulated)",
        end_hour_utc=19,
        cell_reach_m=0.0,
        walk_mean_m=500.0,
        parked_ping_s=3600,
    )
