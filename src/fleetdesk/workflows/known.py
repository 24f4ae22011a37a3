"""What may be known when a day is planned: the moment, and the sound records up to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import ibis

from fleetdesk.errors import NotEnoughData
from fleetdesk.features.calendar import moment as moment_literal
from fleetdesk.features.nullable import nullable
from fleetdesk.features.sightings import inferred_events, inferred_trips
from fleetdesk.features.telemetry_cycles import (
    Pings,
    pings,
    undeclared_swaps,
    with_telemetry,
)
from fleetdesk.fleet.history import History
from fleetdesk.fleet.record_checks import Checked, check_records
from fleetdesk.model.findings import Finding
from fleetdesk.settings.schema import Settings
from fleetdesk.store.base import Store
from fleetdesk.workflows.kept_results import last_plan
from fleetdesk.workflows.moment import Moment, moment

STRAY = timedelta(days=1)
"""Records that are later than all sound ones by more than this have a bad clock."""
BEFORE_WINDOW = timedelta(days=7)
"""Pings are read from so long before the window, so that the cycles at its start are whole."""


@dataclass(frozen=True)
class Known:
    """The moment of planning, the canonical tables a plan may rest on, and what was wrong."""

    moment: Moment
    tables: Mapping[str, Any]
    findings: tuple[Finding, ...]
    shared: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What several analyses of a run need, made at the first need."""
        if name not in self.shared:
            self.shared[name] = make()
        return self.shared[name]

    @cached_property
    def history(self) -> History:
        """The part that estimators learn from."""
        tables = self.tables
        return History(tables["events"], tables["trips"], self.moment.as_of, tables["rider_swaps"])


def known(store: Store, settings: Settings, checked: Checked | None = None) -> Known:
    """The sound records, with what pings and public feeds tell between their lines.

    Rows that cannot be true are left out and told of, unless they were `checked` already for
    another day. Raises NotEnoughData without records.
    """
    checked = checked or check_records(store.tables())
    now = _planned_moment(store, settings, checked.last)
    tables = with_inferred(checked.tables, settings, now.as_of)
    return Known(now, with_pings(tables, settings, now.as_of), checked.findings)


def _planned_moment(store: Store, settings: Settings, last: datetime | None) -> Moment:
    """The moment that the City sheet asks for; raises NotEnoughData without records up to then."""
    window = store.data_window()
    if window is None:
        raise NotEnoughData(
            "There are no records to plan from",
            found="no trips, events or sightings",
            fix="Bring some in with fleetdesk import",
        )
    # A clock that was not set must not move the plan to another day.
    stray = last is not None and window[1] - last > STRAY
    before = last_plan(store) if settings.travel.rest_from else None
    planned = date.fromisoformat(before.summary["day"]) if before else None
    now = moment(settings, last if stray and last else window[1], planned)
    if now.as_of < window[0]:
        raise NotEnoughData(
            f"There are no records before {now.day}, the day to plan",
            found=f"records from {window[0]:%Y-%m-%d %H:%M} to {window[1]:%Y-%m-%d %H:%M} UTC",
            fix="Choose a later day in City: Day to plan, or leave it empty",
        )
    return now


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


def with_pings(tables: Mapping[str, Any], settings: Settings, as_of: datetime) -> Mapping[str, Any]:
    """The tables, with the swaps, charges and whole vehicles that only pings tell of added."""
    telemetry = tables["telemetry"]
    since = as_of - timedelta(days=settings.city.window_days) - BEFORE_WINDOW
    recent = telemetry.filter(telemetry.recorded_at >= moment_literal(since))
    read = pings(tables["events"], recent, settings.thresholds, as_of)
    last, near = read.last.cache(), read.beside.cache()
    silent, beside = (bool(rows.count().execute()) for rows in (last, near))
    moves = read.moves.cache() if silent else read.moves
    stored = Pings(changes=read.changes.cache(), moves=moves, last=last, beside=near)
    swapped = undeclared_swaps(tables["events"], stored.changes, as_of).cache()
    added = bool(swapped.count().execute())
    if not (added or silent or beside):
        return tables
    told = with_telemetry(
        tables["events"],
        tables["trips"],
        stored,
        swapped,
        settings.thresholds,
        as_of,
        silent=silent,
    )
    trips = told.trips.cache() if silent else tables["trips"]
    return {**tables, "events": told.events.cache(), "trips": trips}
