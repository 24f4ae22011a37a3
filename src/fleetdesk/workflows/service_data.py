"""Which services each rider used, as pairs; loads pandas."""

from __future__ import annotations

import pandas as pd

from fleetdesk.features.calendar import moment
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.known import Known
from fleetdesk.workflows.rider_data import frame

_LONG_TRIP_M = 5000.0


def services_used(record: Known, settings: Settings) -> pd.DataFrame:
    """Pairs of rider (basket) and service (item): packages, swaps, trips by kind, referrals.

    A rider who rode or held a package has at least one. Hours are on the city's clock.
    """
    tables, now = record.tables, moment(record.moment.as_of)
    stays = tables["subscriptions"]
    stays = stays.filter(stays.started_at <= now)
    swaps = tables["rider_swaps"]
    swaps = swaps.filter(swaps.swapped_at <= now)
    riders = tables["riders"]
    held = frame(stays.select("rider_id", item=stays.package).distinct())
    swapped = frame(swaps.select("rider_id").distinct()).assign(item="battery swap")
    friends = frame(riders.filter(riders.referrals > 0).select("rider_id"))
    parts = [held, swapped, friends.assign(item="brought in friends"), _trips(record, settings)]
    pairs = pd.concat(parts, ignore_index=True).drop_duplicates()
    used = set(held["rider_id"]) | set(parts[3]["rider_id"])
    pairs = pairs[pairs["rider_id"].isin(used)]
    return pairs.rename(columns={"rider_id": "basket"}).reset_index(drop=True)


def _trips(record: Known, settings: Settings) -> pd.DataFrame:
    trips = record.tables["trips"]
    trips = trips.filter(trips.rider_id.notnull() & (trips.ended_at <= moment(record.moment.as_of)))
    hours = frame(
        trips.group_by(["rider_id", trips.started_at.truncate("h").name("hour_at")]).agg(
            longest_m=trips.distance_m.max()
        )
    )
    if hours.empty:
        return pd.DataFrame({"rider_id": [], "item": []})
    local = hours["hour_at"].dt.tz_localize("UTC").dt.tz_convert(settings.city.timezone)
    habits = settings.riders
    kinds = {
        "trip": pd.Series(True, index=hours.index),
        "night trip": (local.dt.hour >= habits.night_from_h) | (local.dt.hour < habits.night_to_h),
        "weekend trip": local.dt.weekday >= 5,
        "long trip": hours["longest_m"] >= _LONG_TRIP_M,
    }
    parts = [hours.loc[flag, ["rider_id"]].assign(item=name) for name, flag in kinds.items()]
    return pd.concat(parts, ignore_index=True).drop_duplicates()
