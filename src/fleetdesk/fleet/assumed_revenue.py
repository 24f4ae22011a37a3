"""Downstream revenue before any record tells of it: what the planner assumes, and says so."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from fleetdesk.fleet.history import History
from fleetdesk.fleet.method_v0 import Form, HourlyRateRevenue
from fleetdesk.fleet.rate_sums import Rate, Region
from fleetdesk.settings.schema import Settings


def assumed(history: History, settings: Settings) -> HourlyRateRevenue:
    """Every vehicle for rent earns alike, by the assumed trips on the sheet Costs & prices."""
    costs = settings.costs
    per_trip = _per_trip(settings)
    rate = costs.assumed_trips / 24.0 * per_trip
    return HourlyRateRevenue(
        form=Form.EXPECTED_MIN,
        net=costs.use_net_revenue,
        timezone=settings.city.timezone,
        precision=settings.city.cell_precision,
        usable_battery_pct=settings.thresholds.usable_battery_pct,
        rates=MappingProxyType({}),
        city=MappingProxyType({}),
        overall=Rate(rate, rate, 0.0),
        regions=MappingProxyType({}),
        any_region=Region(per_trip, costs.assumed_use_pct, 0.0),
        as_of=history.as_of,
        window_days=settings.city.window_days,
        notes=_notes(history.as_of, per_trip, settings),
    )


def _notes(as_of: datetime, per_trip: float, settings: Settings) -> tuple[str, ...]:
    costs, city = settings.costs, settings.city
    local = as_of.astimezone(ZoneInfo(city.timezone))
    told = (
        f"No vehicle was seen at work in the {city.window_days} days before "
        f"{local:%Y-%m-%d %H:%M}: one snapshot of a feed, ids that do not last, or trips without "
        "positions tell of no vehicle's hours. All ROI rests on what Costs & prices assumes: "
        f"{costs.assumed_trips:g} trips a day, each of {costs.assumed_trip_min:g} minutes and "
        f"{costs.assumed_use_pct:g} % charge, the same everywhere. Import events, or take "
        "snapshots over some days, and rates are learnt."
    )
    if per_trip > 0:
        return (told,)
    loss = (
        f"At the prices and costs of Costs & prices such a trip brings {per_trip:.2f} "
        f"{city.currency}: nothing that makes a vehicle ride more can pay. Raise the prices or the "
        "assumed minutes, or lower the cost per trip there."
    )
    return (told, loss)


def _per_trip(settings: Settings) -> float:
    """As features.trips.priced would price such a trip; its way is not known."""
    costs = settings.costs
    gross = costs.unlock_price + costs.assumed_trip_min * costs.price_per_min
    gross += costs.assumed_trip_min / 60.0 * costs.riding_speed_kmh * costs.price_per_km
    if not costs.use_net_revenue:
        return gross
    kept = 1.0 / (1.0 + costs.vat_pct / 100.0) - costs.payment_fee_pct / 100.0
    return gross * kept - costs.cost_per_trip
