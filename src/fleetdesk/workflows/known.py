"""What may be known when a day is planned: the moment, and the records up to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis

from fleetdesk.errors import NotEnoughData
from fleetdesk.features.calendar import moment as moment_literal
from fleetdesk.features.nullable import nullable
from fleetdesk.features.sightings import inferred_events, inferred_trips
from fleetdesk.fleet.history import History
from fleetdesk.settings.schema import Settings
from fleetdesk.store.base import Store
from fleetdesk.workflows.moment import Moment, moment


def planned_moment(store: Store, settings: Settings) -> Moment:
    """The moment that the City sheet asks for; raises NotEnoughData without records up to then."""
    window = store.data_window()
    if window is None:
        raise NotEnoughData(
            "There are no records to plan from",
            found="no trips, events or sightings",
            fix="Bring some in with fleetdesk import",
        )
    now = moment(settings, window[1])
    if now.as_of < window[0]:
        raise NotEnoughData(
            f"There are no records before {now.day}, the day to plan",
            found=f"records from {window[0]:%Y-%m-%d %H:%M} to {window[1]:%Y-%m-%d %H:%M} UTC",
            fix="Choose a later day in City: Day to plan, or leave it empty",
        )
    return now


def history_of(store: Store, settings: Settings) -> History:
    """The records up to the moment that the City sheet asks for."""
    now = planned_moment(store, settings)
    tables = with_inferred(store.tables(), settings, now.as_of)
    return History(tables["events"], tables["trips"], now.as_of)


def with_inferred(
    tables: Mapping[str, Any], settings: Settings, as_of: datetime
) -> Mapping[str, Any]:
    """The tables, with the trips and events that a public feed's sightings imply added.

    What a later sighting reveals is stamped at the earlier one, so later ones are cut off first.
    """
    sightings = tables["sightings"]
    sightings = sightings.filter(sightings.seen_at <= moment_literal(as_of))
    if sightings.count().execute() == 0:
        return tables
    found = {
        "events": inferred_events(sightings, settings),
        "trips": inferred_trips(sightings, settings),
    }
    added = {
        name: ibis.union(
            nullable(tables[name]), nullable(rows.select(*tables[name].columns))
        ).cache()
        for name, rows in found.items()
    }
    return {**tables, "sightings": sightings, **added}
