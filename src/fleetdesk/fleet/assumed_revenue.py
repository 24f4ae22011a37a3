"""Downstream revenue before any record tells of it: what the planner assumes, and says so."""

from __future__ import annotations

from types import MappingProxyType

from fleetdesk.fleet.history import History
from fleetdesk.fleet.method_v0 import Form, HourlyRateRevenue
from fleetdesk.fleet.rate_sums import Rate, Region
from fleetdesk.settings.schema import Settings


def assumed(history: History, settings: Settings) -> HourlyRateRevenue:
    """Every vehicle for rent earns alike, by the assumed trips on the sheet Costs & prices."""
    costs = settings.costs
    per_trip = _per_trip(settings)
    rate = costs.assumed_trips / 24.0 * per_trip
    days = settings.city.window_days
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
        window_days=days,
        notes=(
            f"No vehicle was seen at work in the {days} days before {history.as_of:%Y-%m-%d %H:%M} "
            "UTC: one snapshot of a feed, ids that do not last, or trips without positions tell of "
            "no vehicle's hours. All ROI rests on what Costs & prices assumes: "
            f"{costs.assumed_trips:g} trips a day, each of {costs.assumed_trip_min:g} minutes and "
            f"{costs.assumed_use_pct:g} % charge, the same everywhere. Import events, or take "
            "snapshots over some days, and rates are learnt.",
        ),
    )


def _per_trip(settings: Settings) -> float:
    """As features.trips.priced would price such a trip; its way is not known."""
    costs = settings.costs
    gross = costs.unlock_price + costs.assumed_trip_min * costs.price_per_min
    gross += costs.assumed_trip_min / 60.0 * costs.riding_speed_kmh * costs.price_per_km
    if not costs.use_net_revenue:
        return gross
    kept = 1.0 / (1.0 + costs.vat_pct / 100.0) - costs.payment_fee_pct / 100.0
    return gross * kept - costs.cost_per_trip
