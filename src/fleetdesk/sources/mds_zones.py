"""Geographies and policies of MDS as rows of ZONES: outlines, and what is ruled inside them.

A geography says where, a policy what; a policy's rules wait until the outlines they name are known,
from the same import or from an earlier one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import Any

import pyarrow as pa

from fleetdesk.features.zones import polygons_of
from fleetdesk.model.tables import ZONES
from fleetdesk.sources.base import schema_of
from fleetdesk.sources.mds_checks import MISSING, WEEKDAYS, Fault, is_number
from fleetdesk.sources.mds_values import Door, Unusable, found_at, id_of, plain, time_ms
from fleetdesk.sources.zone_rows import NO_RULE, Row, outline_of, zone_table

GEOGRAPHIES = "MDS geographies"
NOT_KNOWN = "rules[].geographies: none is known; import the geographies first, or with it"
_MODE = "micromobility"
_KMH = {"kph": 1.0, "mph": 1.609344}
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Geography:
    """One outline; times are naive UTC."""

    zone_id: str
    name: str
    outline: str
    valid_from: datetime | None
    valid_to: datetime | None
    listed_at: datetime


@dataclass(frozen=True)
class Policy:
    """Rules in the order they count in: (names of geographies, a row's part)."""

    policy_id: str
    replaces: tuple[str, ...]
    starts_at: datetime
    rules: tuple[tuple[tuple[str, ...], Row], ...]


def geography(value: Mapping[str, Any], door: Door) -> tuple[Geography, list[Fault]]:
    """The polygons of a geography together, and what was borne; Unusable without any."""
    zone_id = id_of(value.get("geography_id"))
    if not zone_id:
        raise Unusable("geography_id", MISSING)
    faults: list[Fault] = []
    told = {
        name: _moment(value, name, door, faults)
        for name in ("effective_date", "retire_date", "published_date")
    }
    return (
        Geography(
            zone_id,
            plain(value.get("name")) or zone_id,
            _outline(value),
            told["effective_date"],
            told["retire_date"],
            told["published_date"] or _at(door.latest_ms),
        ),
        faults,
    )


def policy(value: Mapping[str, Any], door: Door) -> tuple[Policy, list[Fault]]:
    """The rules of a policy that rule a zone, and what was borne; Unusable without any."""
    policy_id = id_of(value.get("policy_id"))
    if not policy_id:
        raise Unusable("policy_id", MISSING)
    mode = value.get("mode_id", _MODE)
    if mode != _MODE:
        raise Unusable("mode_id", f"not {_MODE}", mode)
    faults: list[Fault] = []
    starts = _at(time_ms(value, "start_date", door_of_plans(door)))
    common = {
        "ruleset": _ruleset(policy_id),
        "valid_from": starts,
        "valid_to": _moment(value, "end_date", door_of_plans(door), faults),
        "listed_at": _moment(value, "published_date", door, faults) or _at(door.latest_ms),
    }
    given = value.get("rules")
    if not isinstance(given, list) or not given:
        raise Unusable("rules", "no list of rules", given)
    rules = []
    for place, rule in enumerate(given):
        places, matters = _places(rule), _matters(rule)
        if places and matters:
            rules.append((places, common | {"rank": place} | _part(rule, place, faults) | matters))
        elif isinstance(rule, dict):
            faults.append((f"rules[{place}]", "says not where to ride, park or how fast; left out",
                           rule.get("rule_type")))  # fmt: skip
    if not rules:
        kinds = {plain(rule.get("rule_type")) for rule in given if isinstance(rule, dict)}
        raise Unusable("rules", "none says where to ride, park or how fast", sorted(kinds))
    before = value.get("prev_policies")
    replaced = [id_of(one) for one in before] if isinstance(before, list) else []
    return Policy(policy_id, tuple(filter(None, replaced)), starts, tuple(rules)), faults


def door_of_plans(door: Door) -> Door:
    """The door for times that may lie ahead, such as a rule's end: ten years at most."""
    ahead_ms = int(timedelta(days=3652) / timedelta(milliseconds=1))
    return Door(door.latest_ms + ahead_ms, door.currency, door.voltage_v)


@dataclass
class Zones:
    """Gathers geographies and policies; `known` gives the table ZONES of earlier imports."""

    known: Callable[[], pa.Table]
    _waiting: list[tuple[Policy, str]] = field(default_factory=list)
    _fresh: list[Geography] = field(default_factory=list)

    @cached_property
    def _before(self) -> list[Row]:
        """The rows of earlier imports."""
        return list(self.known().to_pylist())

    @cached_property
    def _places(self) -> dict[str, Geography]:
        """Every outline that is known, by its id."""
        names = ("zone_id", "name", "outline", "valid_from", "valid_to", "listed_at")
        return {
            row["zone_id"]: Geography(*(row[name] for name in names))
            for row in self._before
            if row["ruleset"] == GEOGRAPHIES and row["outline"] is not None
        }

    def see(self, found: Geography | Policy, where: str) -> None:
        """Take note of one; `where` is told when its geographies stay unknown."""
        if isinstance(found, Policy):
            self._waiting.append((found, where))
            return
        self._places[found.zone_id] = found
        self._fresh.append(found)

    def changed(self) -> pa.Table:
        """The rows that can be made since the last call."""
        rows: dict[tuple[str, str], Row] = {}
        for place in self._fresh:
            bare = {"rule_id": NO_RULE, "ruleset": GEOGRAPHIES, "rank": 0}
            rows[place.zone_id, NO_RULE] = _placed(place) | bare
        self._fresh.clear()
        ready = [entry for entry in self._waiting if self._known_to(entry[0])]
        self._waiting = [entry for entry in self._waiting if entry not in ready]
        for found, _ in ready:
            for row in self._ended_by(found):
                rows[row["zone_id"], row["rule_id"]] = row
            for places, part in found.rules:
                for name in places:
                    if place_known := self._places.get(name):
                        rows[name, part["rule_id"]] = _ruled(place_known, part)
        return zone_table(list(rows.values())) if rows else schema_of(ZONES).empty_table()

    def unplaced(self) -> Iterator[str]:
        """Where the policies are from that name only geographies that nobody has told of."""
        for _, where in self._waiting:
            yield where

    def _known_to(self, found: Policy) -> bool:
        return any(name in self._places for places, _ in found.rules for name in places)

    def _ended_by(self, found: Policy) -> Iterator[Row]:
        old = {_ruleset(name) for name in found.replaces}
        for row in self._before:
            if row["ruleset"] in old and (not row["valid_to"] or row["valid_to"] > found.starts_at):
                yield row | {"valid_to": found.starts_at}


def _placed(place: Geography) -> Row:
    return {
        "zone_id": place.zone_id, "name": place.name, "outline": place.outline,
        "valid_from": place.valid_from, "valid_to": place.valid_to, "listed_at": place.listed_at,
    }  # fmt: skip


def _ruled(place: Geography, part: Row) -> Row:
    """A rule where an outline is: in force while both are."""
    ends = [end for end in (place.valid_to, part["valid_to"]) if end]
    starts = [start for start in (place.valid_from, part["valid_from"]) if start]
    return (
        _placed(place)
        | part
        | {
            "name": part["name"] or place.name,
            "valid_from": max(starts, default=None),
            "valid_to": min(ends, default=None),
        }
    )


def _ruleset(policy_id: str) -> str:
    return f"MDS policy {policy_id}"


def _outline(value: Mapping[str, Any]) -> str:
    """All polygons of the features; points and lines have no inside."""
    features = found_at(value, "geography_json.features")
    if not isinstance(features, list):
        raise Unusable("geography_json.features", "no list of features", features)
    polygons: list[Any] = []
    for feature in features:
        kind, given = found_at(feature, "geometry.type"), found_at(feature, "geometry.coordinates")
        if kind in ("Polygon", "MultiPolygon") and isinstance(given, list):
            polygons += [given] if kind == "Polygon" else given
    if not polygons:
        raise Unusable("geography_json.features", "no polygon")
    try:
        outline = outline_of(polygons)
        polygons_of(outline)
    except (ValueError, TypeError) as trouble:
        raise Unusable("geography_json.features", f"an outline with {trouble}") from None
    return outline


def _places(rule: Any) -> tuple[str, ...]:
    given = rule.get("geographies") if isinstance(rule, dict) else None
    return tuple(filter(None, map(id_of, given))) if isinstance(given, list) else ()


def _part(rule: Mapping[str, Any], place: int, faults: list[Fault]) -> Row:
    """What a rule's row says besides the matter itself."""
    kinds = _words(rule.get("vehicle_types"))
    ours = not kinds or any(kind.startswith("scooter") for kind in kinds)
    days = [day for day in _words(rule.get("days")) if day in WEEKDAYS]
    return {
        "rule_id": id_of(rule.get("rule_id")) or str(place),
        "name": plain(rule.get("name")) or None,
        "vehicle_types": None if ours else "+".join(kinds),
        "days": "+".join(days) or None,
        "from_time": _clock(rule, "start_time", place, faults),
        "to_time": _clock(rule, "end_time", place, faults),
    }


def _matters(rule: Any) -> Row:
    """What a rule decides; nothing for fees, idle times, caps and words to riders."""
    if not isinstance(rule, dict) or is_number(rule.get("rate_amount")):
        return {}
    most = rule.get("maximum")
    states = rule.get("states")
    states = states if isinstance(states, dict) and states else dict.fromkeys(_STATES)

    def touched(state: str, *events: str) -> bool:
        listed = _words(states.get(state))
        return state in states and (not listed or bool(set(events) & set(listed)))

    if rule.get("rule_type") == "speed":
        factor = _KMH.get(plain(rule.get("rule_units")))
        if factor is None or not is_number(most) or most < 0 or "on_trip" not in states:
            return {}
        return {"speed_limit_kmh": round(most * factor, 3)}
    if rule.get("rule_type") != "count" or (is_number(most) and most > 0):
        return {}
    allowed = most is None
    matters = {
        "parking_allowed": touched("available", "trip_end", "provider_drop_off"),
        "ride_start_allowed": touched("on_trip", "trip_start"),
        "ride_through_allowed": touched("on_trip", "trip_enter_jurisdiction"),
    }
    return {name: allowed for name, told in matters.items() if told}


_STATES = ("available", "on_trip")


def _words(given: Any) -> list[str]:
    return [plain(word) for word in given if plain(word)] if isinstance(given, list) else []


def _clock(rule: Mapping[str, Any], name: str, place: int, faults: list[Fault]) -> str | None:
    told = plain(rule.get(name))
    try:
        return time.fromisoformat(told).isoformat("seconds") if told else None
    except ValueError:
        faults.append((f"rules[{place}].{name}", "not a time of day, left out", told))
        return None


def _moment(
    value: Mapping[str, Any], name: str, door: Door, faults: list[Fault]
) -> datetime | None:
    if value.get(name) is None:
        return None
    try:
        return _at(time_ms(value, name, door_of_plans(door)))
    except Unusable as unusable:
        faults.append((name, unusable.what, unusable.shown))
        return None


def _at(millis: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=millis)
