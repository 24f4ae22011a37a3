"""Trips with the money they bring; the grain stays one trip."""

from __future__ import annotations

from typing import Any

from fleetdesk.settings.schema import Costs

ACROSS_GAP = "gap:"  # head of the id of a trip inferred across a hole in the feed


def priced(trips: Any, costs: Costs) -> Any:
    """The trips with `revenue` filled in and `net_revenue` added (city currency).

    Where revenue is empty: unlock + per minute x minutes + per km x km, the minutes from the ridden
    time or, where that is zero, from distance and the sheet's riding speed. Net revenue is gross
    less the sales tax in it, the payment fee on the gross, and the cost per trip.
    """
    km = trips.distance_m / 1000.0
    by_distance = km / costs.riding_speed_kmh * 60.0
    minutes = (trips.duration_s > 0).ifelse(trips.duration_s / 60.0, by_distance)
    list_price = costs.unlock_price + minutes * costs.price_per_min + km * costs.price_per_km
    with_revenue = trips.mutate(revenue=trips.revenue.coalesce(list_price))
    kept = 1.0 / (1.0 + costs.vat_pct / 100.0) - costs.payment_fee_pct / 100.0
    return with_revenue.mutate(net_revenue=with_revenue.revenue * kept - costs.cost_per_trip)


def countable(trips: Any) -> Any:
    """The trips that rates may be learnt from: one across a feed gap may hide several, or none."""
    return trips.filter(~trips.trip_id.startswith(ACROSS_GAP))
