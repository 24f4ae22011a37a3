"""What in the records cannot be true: found, told, and kept out of every calculation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import ibis
import pyarrow as pa

from fleetdesk.features import cycle_checks as checks
from fleetdesk.features.calendar import moment
from fleetdesk.features.cycle_checks import Bounds
from fleetdesk.features.membership import not_among
from fleetdesk.features.nullable import nullable
from fleetdesk.model.findings import Done, Finding
from fleetdesk.model.mds import EVENT_JOIN, TRANSITIONS
from fleetdesk.model.places import Point
from fleetdesk.model.tables import TABLES

EXAMPLES = 3
HOLE_DAYS = 30
STRAY_SHARE = 0.001
STRAY_ROWS = 10
"""Days behind a hole of a month that hold a smaller share, or fewer rows, are a bad clock's."""
FLEET = 10
"""Where so many vehicles spoke in a week, one that goes on alone for days has a bad clock."""
_SEEN = {"events": "event_at", "trips": "started_at", "sightings": "seen_at",
         "telemetry": "recorded_at"}  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """The canonical tables without what cannot be true, and what that was.

    `last` is the last record that can be true (UTC-aware), whatever a clock that was not set says.
    """

    tables: Mapping[str, Any]
    findings: tuple[Finding, ...]
    last: datetime | None = None


def check_records(tables: Mapping[str, Any]) -> Checked:
    """Look through events, trips, pings and sightings; a table without faults stays as it is."""
    days = _days(tables)
    if not days:
        return Checked(tables, ())
    bounds = _bounds(tables, days)
    found: list[Finding] = []
    events = _sound_events(tables["events"], bounds, found)
    seen = {
        name: _sound(
            name, tables[name], checks.ping_faults(tables[name], _SEEN[name], bounds), found
        )
        for name in ("telemetry", "sightings")
    }
    seen = {name: _charges(name, rows, ("battery_pct",), found) for name, rows in seen.items()}
    sound = {**tables, **seen, "events": events}
    sound["trips"] = _sound_trips(tables["trips"], sound, bounds, found)
    return Checked(sound, tuple(found), _last(tables, days))


def _sound_events(events: Any, bounds: Bounds, found: list[Finding]) -> Any:
    said = events.group_by(["event_types", "vehicle_state"]).agg(
        rows=events.count(), example=events.event_id.min()
    )
    told = said.to_pyarrow().to_pylist()
    of = sum(row["rows"] for row in told)
    odd = sorted(
        (row for row in told if not _in_table(row["event_types"], row["vehicle_state"])),
        key=lambda row: (-row["rows"], row["event_types"], row["vehicle_state"]),
    )
    if odd:
        found.append(
            Finding(
                "events", "event and state that do not belong together in MDS: the state counts",
                Done.KEPT, sum(row["rows"] for row in odd), of,
                tuple(
                    f"{row['event_types']} -> {row['vehicle_state']}, such as {row['example']}"
                    for row in odd[:EXAMPLES]
                ),
            )
        )  # fmt: skip
    events = _sound("events", events, checks.event_faults(events, bounds), found)
    away = events.filter(checks.lost(events, bounds))
    if _note("events", checks.OFF_CITY + "; its vehicle's last place is taken", Done.BLANKED,
             away, of, found):  # fmt: skip
        events = checks.repositioned(events, bounds).cache()
    again = checks.repeats(events)
    if _note("events", checks.DUPLICATE, Done.LEFT_OUT, again, of, found):
        events = not_among(events, again, "event_id").cache()
    return _charges("events", events, ("battery_pct",), found)


def _sound_trips(
    trips: Any, tables: Mapping[str, Any], bounds: Bounds, found: list[Finding]
) -> Any:
    of = _count(trips)
    trips = _sound("trips", trips, checks.trip_faults(trips, bounds), found)
    vehicles = _vehicles(tables)
    if of and _count(vehicles):
        unknown = checks.strangers(trips, vehicles)
        if _note("trips", checks.UNKNOWN_VEHICLE, Done.LEFT_OUT, unknown, of, found):
            trips = not_among(trips, unknown, "trip_id").cache()
    late = _overlapping(checks.chains(trips).to_pyarrow().to_pylist())
    if late:
        out = ibis.memtable(pa.table({"trip_id": pa.array(late, pa.string())}))
        _note("trips", checks.OVERLAP, Done.LEFT_OUT, out, of, found)
        trips = not_among(trips, out, "trip_id").cache()
    return _charges("trips", trips, ("start_battery_pct", "end_battery_pct"), found)


def _overlapping(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of each chain, the trips that start while one that stays still runs."""
    slack = timedelta(seconds=checks.OVERLAP_S)
    order = ("vehicle_id", "chain_no", "started_at", "ended_at", "trip_id")
    ordered = sorted(rows, key=lambda row: tuple(row[name] for name in order))
    late = []
    for _, chain in groupby(ordered, key=lambda row: (row["vehicle_id"], row["chain_no"])):
        reach = datetime.min
        for row in chain:
            if row["started_at"] + slack < reach:
                late.append(row["trip_id"])
            else:
                reach = max(reach, row["ended_at"])
    return late


def _sound(name: str, rows: Any, faults: Mapping[str, Any], found: list[Finding]) -> Any:
    """The rows without these faults; each row is counted at the first that it has."""
    before = ibis.literal(False)
    alone = {}
    for fault, condition in faults.items():
        condition = condition.fill_null(False)
        alone[fault] = condition & ~before
        before = before | condition
    counts = rows.agg(
        of=rows.count(), **{f"n{i}": condition.sum() for i, condition in enumerate(alone.values())}
    )
    told = counts.to_pyarrow().to_pylist()[0]
    for i, (fault, condition) in enumerate(alone.items()):
        if told[f"n{i}"]:
            _note(name, fault, Done.LEFT_OUT, rows.filter(condition), told["of"], found)
    return checks.sound(rows, faults) if any(told[f"n{i}"] for i in range(len(alone))) else rows


def _charges(name: str, rows: Any, columns: Sequence[str], found: list[Finding]) -> Any:
    """The rows with impossible batteries taken for unknown."""
    wrong = rows.filter(checks.impossible(rows, *columns))
    if _count(wrong):
        _note(name, checks.BATTERY, Done.BLANKED, wrong, _count(rows), found)
        return checks.blanked(rows, *columns)
    return rows


def _note(name: str, fault: str, done: Done, rows: Any, of: int, found: list[Finding]) -> int:
    count = _count(rows)
    if count:
        keys = [column for column in TABLES[name].key if column in rows.columns]
        some = rows.select(*keys).order_by(*keys).limit(EXAMPLES).to_pyarrow().to_pylist()
        examples = tuple(", ".join(str(row[key]) for key in keys) for row in some)
        found.append(Finding(name, fault, done, count, of, examples))
    return count


def _count(rows: Any) -> int:
    return int(rows.count().to_pyarrow().as_py())


def _in_table(types: str, state: str) -> bool:
    """Whether one of the event's types leads to this state by the standard."""
    return any(
        state in {to.value for to in TRANSITIONS.get(event, ())}  # type: ignore[call-overload]
        for event in types.split(EVENT_JOIN)
    )


def _vehicles(tables: Mapping[str, Any]) -> Any:
    names = ("vehicles", "events", "telemetry", "sightings")
    ids = [nullable(tables[name].select("vehicle_id").distinct()) for name in names]
    return ibis.union(*ids, distinct=True)


def _bounds(tables: Mapping[str, Any], days: set[datetime]) -> Bounds:
    """The city's middle is where most records are; its time runs over the days that most are of."""
    first = min(days).replace(tzinfo=UTC)
    last = max(days).replace(tzinfo=UTC) + timedelta(days=1)
    return Bounds(_middle(tables), first, last)


def _last(tables: Mapping[str, Any], days: set[datetime]) -> datetime | None:
    end = moment(max(days).replace(tzinfo=UTC) + timedelta(days=1))
    lasts = [
        rows[when].max(where=rows[when] < end).to_pyarrow().as_py()
        for rows, when in ((tables[name], when) for name, when in _SEEN.items())
    ]
    known = [last.replace(tzinfo=UTC) for last in lasts if last is not None]
    return max(known, default=None)


def _days(tables: Mapping[str, Any]) -> set[datetime]:
    """The days that records can be of; the rows of one table do not speak for another's."""
    days: set[datetime] = set()
    speakers: dict[datetime, set[str | None]] = {}
    for name, when in _SEEN.items():
        rows = tables[name].mutate(day=tables[name][when].truncate("D"))
        told = rows.group_by("day").agg(
            rows=rows.count(), least=rows.vehicle_id.min(), most=rows.vehicle_id.max()
        )
        counts = told.to_pyarrow().to_pylist()
        days.update(_steady({row["day"]: row["rows"] for row in counts}))
        for row in counts:
            speakers.setdefault(row["day"], set()).update((row["least"], row["most"]))
    return _shared(tables, days, speakers)


def _shared(
    tables: Mapping[str, Any], days: set[datetime], speakers: Mapping[datetime, set[str | None]]
) -> set[datetime]:
    """The days without those at the end on which only one vehicle of a fleet says anything.

    So they are if they go on until two days or more after everybody else has fallen silent.
    """
    last = max((day for day in days if len(speakers[day]) > 1), default=None)
    after = [day for day in days if last is not None and day > last]
    one = set().union(*(speakers[day] for day in after)) - {None}
    if last is None or len(one) != 1 or max(after) - last < timedelta(days=2):
        return days
    from_ = moment((last - timedelta(days=6)).replace(tzinfo=UTC))
    until = moment((last + timedelta(days=1)).replace(tzinfo=UTC))
    week = ibis.union(
        *(
            rows.filter((rows[when] >= from_) & (rows[when] < until))
            .select("vehicle_id")
            .distinct()
            for rows, when in ((nullable(tables[name]), when) for name, when in _SEEN.items())
        ),
        distinct=True,
    )
    return days - set(after) if _count(week) >= FLEET else days


def _steady(counts: Mapping[datetime, int]) -> Iterable[datetime]:
    """The days without stretches that lie a month apart and hold next to nothing."""
    stretches: list[list[datetime]] = []
    for day in sorted(counts):
        if stretches and day - stretches[-1][-1] <= timedelta(days=HOLE_DAYS):
            stretches[-1].append(day)
        else:
            stretches.append([day])
    rows = [sum(counts[day] for day in stretch) for stretch in stretches]
    # The longest stretch stays, however few its rows are.
    least = min(max(rows, default=0), max(STRAY_ROWS, STRAY_SHARE * sum(rows)))
    return [
        day for stretch, held in zip(stretches, rows, strict=True) if held >= least
        for day in stretch
    ]  # fmt: skip


def _middle(tables: Mapping[str, Any]) -> Point | None:
    for name, side in (("events", ""), ("trips", "start_"), ("sightings", ""), ("telemetry", "")):
        rows = tables[name]
        middle = rows.agg(
            lat=rows[f"{side}lat"].quantile(0.5), lon=rows[f"{side}lon"].quantile(0.5)
        )
        found = middle.to_pyarrow().to_pylist()[0]
        if found["lat"] is not None and found["lon"] is not None:
            return Point(found["lat"], found["lon"])
    return None
