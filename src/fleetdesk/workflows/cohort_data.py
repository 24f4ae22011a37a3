"""Riders, their months and their stays in packages, for cohorts; loads pandas."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from fleetdesk.errors import NotEnoughData
from fleetdesk.features.calendar import moment
from fleetdesk.features.trips import countable, priced
from fleetdesk.riders.cohorts import Cohorts, cohorts
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.known import Known
from fleetdesk.workflows.rider_data import first_trip, frame


def cohorts_of(record: Known, settings: Settings) -> Cohorts:
    """Cohorts over the calendar months (of the city's clock) that the records cover whole.

    Raises NotEnoughData where none is over.
    """
    tables, as_of, zone = record.tables, record.moment.as_of, settings.city.timezone
    now = moment(as_of)
    local_now = pd.Timestamp(as_of).tz_convert(zone).tz_localize(None)
    last = (local_now.to_period("M") - 1).start_time
    begun = first_trip(tables)
    first = _first_whole_month(begun, zone) if begun else None
    if first is None or first > last:
        raise NotEnoughData(
            "No month is known from its beginning to its end, so no cohort can be followed",
            found=f"trips since {begun:%Y-%m-%d}" if begun else "no trips",
            fix="Import more history, or wait for a month's end",
        )
    riders = tables["riders"]
    people = frame(
        riders.filter(riders.signed_up_at <= now).select("rider_id", "channel", "signed_up_at")
    )
    trips = priced(countable(tables["trips"]), settings.costs)
    trips = trips.filter(trips.rider_id.notnull() & (trips.ended_at <= now))
    hours = frame(
        trips.group_by(["rider_id", trips.started_at.truncate("h").name("hour_at")]).agg(
            km=(trips.distance_m / 1000.0).sum(), trips=trips.count(), revenue=trips.revenue.sum()
        )
    )
    hours = hours.assign(month=_month(hours["hour_at"], zone))
    hours = hours.sort_values(["rider_id", "hour_at"])
    months = hours.groupby(["rider_id", "month"], as_index=False)[["km", "trips", "revenue"]].sum()
    stays = tables["subscriptions"]
    held = frame(stays.filter(stays.started_at <= now))
    return cohorts(
        people[["rider_id"]].assign(
            signed_up_month=_month(people["signed_up_at"], zone),
            channel=people["channel"].fillna("not known"),
        ),
        months,
        held[["rider_id", "package", "end_cause"]].assign(
            started_month=_month(held["started_at"], zone),
            ended_month=_month(held["ended_at"], zone),
        ),
        last,
        first,
    )


def _first_whole_month(begun: datetime, zone: str) -> pd.Timestamp:
    """The month that the records begin in, or the next where they begin after its first day."""
    local = pd.Timestamp(begun).tz_convert(zone).tz_localize(None)
    month = local.to_period("M")
    return (month if local.day == 1 else month + 1).start_time


def _month(at: pd.Series[pd.Timestamp], zone: str) -> pd.Series[pd.Timestamp]:
    """The first of the local month; empty stays empty."""
    local = pd.to_datetime(at).dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
    return local.dt.to_period("M").dt.start_time
