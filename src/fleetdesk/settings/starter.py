"""Settings to begin with: packages, a crew and an offer that show how a row is filled in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from fleetdesk.model.places import Point
from fleetdesk.settings.route_sheets import Travel
from fleetdesk.settings.schema import City, Offer, Package, ParkingRow, Settings, Worker
from fleetdesk.settings.task_sheets import TaskRule

_THESSALONIKI = Point(40.63670, 22.94440)  # a stand-in until the planner says where the van starts


def starter_settings(
    name: str = "My city",
    timezone: str = "Europe/Athens",
    currency: str = "EUR",
    *,
    centre: Point = _THESSALONIKI,
    parkings: Sequence[ParkingRow] = (),
) -> Settings:
    """A workable start for one city: two workers who set out from `centre`, rules, packages."""
    return Settings(
        city=City(name=name, timezone=timezone, currency=currency),
        # A shift is longer than one load of batteries lasts.
        travel=Travel(most_reloads=2),
        task_rules=_task_rules(),
        packages=_packages(),
        workers=(
            Worker(name="Maria", start_lat=centre.lat, start_lon=centre.lon),
            Worker(
                name="Nikos", start_lat=centre.lat, start_lon=centre.lon,
                shift_start=time(14, 0), shift_end=time(22, 0),
            ),
        ),
        parkings=tuple(parkings),
        offers=(
            Offer(name="Autumn upgrade", package="Daily Commuter", discount_pct=15, active=False),
        ),
    )  # fmt: skip


def _task_rules() -> tuple[TaskRule, ...]:
    """What most cities need, and two that are there to be switched on."""
    return (
        TaskRule(
            name="Forbidden parking", when="no-park zone", work="move to parking", must=True,
            extra_priority=20,
        ),
        TaskRule(
            name="Riders complain", when="open complaints", threshold=3, work="inspect",
            must=True, extra_priority=10,
        ),
        TaskRule(
            name="Maybe stolen", when="moved without trip (m)", threshold=300, work="inspect",
            must=True, extra_priority=50, service_min=10,
        ),
        TaskRule(
            name="Not heard of", when="no record (h)", threshold=72, work="inspect",
            extra_priority=10, service_min=10,
        ),
        TaskRule(
            name="Long idle", when="idle (h)", threshold=96, work="move to parking", active=False
        ),
        TaskRule(
            name="Brakes and tyres", when="km since service", threshold=500, work="service",
            service_min=15, active=False,
        ),
    )  # fmt: skip


def _packages() -> tuple[Package, ...]:
    return (
        Package(
            name="Light Rider", monthly_price=29, included_km=500, included_swaps=10,
            extra_km_price=0.10, extra_swap_price=2.0, floor_price=24,
        ),
        Package(
            name="Daily Commuter", monthly_price=49, included_km=1000, included_swaps=20,
            extra_km_price=0.08, extra_swap_price=1.8, floor_price=41,
        ),
        Package(
            name="Power User", monthly_price=79, included_km=2000, included_swaps=35,
            extra_km_price=0.06, extra_swap_price=1.6, floor_price=68,
        ),
        Package(
            name="Enterprise", monthly_price=149, included_km=5000, included_swaps=90,
            extra_km_price=0.05, extra_swap_price=1.4, floor_price=129,
        ),
    )  # fmt: skip
