"""GBFS documents as canonical tables, wherever the documents come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from fleetdesk.model.quality import QualityReport
from fleetdesk.model.tables import PRICE_PLANS, SIGHTINGS, ZONES, Table
from fleetdesk.sources.base import schema_of
from fleetdesk.sources.gbfs_document import Account, Document
from fleetdesk.sources.gbfs_entries import (
    Point,
    VehicleType,
    localized,
    merely_checked,
    station_room,
    stations,
    vehicle_types,
    vehicles,
    word_of,
)
from fleetdesk.sources.gbfs_ids import IdEvidence, Verdict, once
from fleetdesk.sources.gbfs_rules import plans, said, zones
from fleetdesk.sources.parsing import floats
from fleetdesk.sources.snapshot_survey import Survey
from fleetdesk.sources.zone_rows import ended, is_older

VEHICLE_FEEDS = ("vehicle_status", "free_bike_status")
# The order in which feeds are read: each one's own needs come before it.
BESIDE = ("system_information", "vehicle_types", "station_status", "station_information",
          "system_pricing_plans", "geofencing_zones")  # fmt: skip
_MOST_PLANS = 5
Pieces = Iterator[tuple[str, pa.Table]]


@dataclass
class Reader:
    """Reads documents in the order in which they are given and accounts for all of them.

    `latest` (UTC-aware) is the last moment that is believed; `known` gives the tables VEHICLES,
    ZONES and PRICE_PLANS so far by their names, and is asked once there is news of them.
    """

    latest: datetime
    known: Callable[[str], pa.Table]
    evidence: IdEvidence = field(default_factory=IdEvidence)
    account: Account = field(default_factory=Account)
    remarks: list[str] = field(default_factory=list)
    _versions: set[str] = field(default_factory=set)
    _facts: dict[str, float] = field(default_factory=dict)
    _types: dict[str, VehicleType] = field(default_factory=dict)
    _stations: dict[str, Point] = field(default_factory=dict)
    _room: dict[str, int] = field(default_factory=dict)
    _plans: pa.Table = field(default_factory=schema_of(PRICE_PLANS).empty_table)
    _zones: pa.Table = field(default_factory=schema_of(ZONES).empty_table)
    _lists: dict[str, pa.Table] = field(default_factory=dict)
    _system: str = "GBFS"
    _names: dict[str, None] = field(default_factory=dict)

    @cached_property
    def _survey(self) -> Survey:
        return Survey(self.known("vehicles"))

    @property
    def _full_range_m(self) -> Mapping[str, float]:
        """By vehicle type; without news nothing is asked of the store for it."""
        return self._survey.full_range_m if "_survey" in self.__dict__ else {}

    def discovery(self, answer: Document) -> None:
        """Check the list of feeds."""
        self._noted(answer)

    def beside(self, answer: Document, *, news: bool = True) -> Pieces:
        """Any feed but those of vehicles; a newer answer takes an older one's place.

        What is no news is only remembered: nothing is yielded or counted.
        """
        account = self._noted(answer) if news else Account()
        if answer.feed == "vehicle_types":
            self._types = vehicle_types(answer, account)
            for kind in self._types.values():
                before = self._survey.full_range_m.get(kind.type_id, 0.0)
                if kind.full_range_m:
                    self._survey.full_range_m[kind.type_id] = max(before, kind.full_range_m)
        elif answer.feed == "station_status":
            self._room = station_room(answer, account)
        elif answer.feed == "station_information":
            parkings = stations(answer, account, self._room)
            self._stations = {row["parking_id"]: (row["lat"], row["lon"])
                              for row in parkings.to_pylist()}  # fmt: skip
            if news:
                yield "parkings", parkings
        elif answer.feed == "system_pricing_plans":
            at = self._listed_at(answer)
            self._plans = plans(answer, account, self._system, at)
            if news:
                yield from self._listed(PRICE_PLANS, "system", self._plans, at)
        elif answer.feed == "geofencing_zones":
            at = self._listed_at(answer)
            self._zones = zones(answer, account, self._system, at)
            if news:
                yield from self._listed(ZONES, "ruleset", self._zones, at)
        else:
            merely_checked(answer, account)
            if answer.feed == "system_information":
                self._name(answer.data)
                self._system = word_of(answer.data, "system_id") or self._system

    def survey(self, answer: Document, seen_at: datetime) -> None:
        """Take note of a snapshot that will be given to `snapshot` once all are known."""
        rows = vehicles(answer, Account(), self._stations, self.latest)
        self._see(rows, _at(seen_at))

    def snapshot(self, answer: Document, seen_at: datetime, *, surveyed: bool = False) -> Pieces:
        """The vehicles as SIGHTINGS at this moment (UTC-aware)."""
        account = self._noted(answer)
        rows = vehicles(answer, account, self._stations, self.latest)
        at = _at(seen_at)
        if not surveyed:
            self._see(rows, at)
        if len(rows["vehicle_id"]):
            yield "sightings", self._sightings(rows, at)

    def vehicles(self) -> Pieces:
        """The table VEHICLES of all snapshots so far, where ids last."""
        if self.lasting:
            yield "vehicles", self._survey.vehicles()

    @property
    def lasting(self) -> bool:
        """Whether ids are shown to last."""
        return self.evidence.verdict is Verdict.LASTING

    def report(self, source: str) -> QualityReport:
        """The account of everything that was read."""
        notes = (
            *(f"System: {name}." for name in self._names),
            *((f"GBFS {', '.join(sorted(self._versions))}.",) if self._versions else ()),
            *((self.evidence.note(),) if self._facts.get("snapshots") else ()),
            *self._told(),
            *dict.fromkeys(self.remarks),
            *self.account.notes(),
        )
        return self.account.tally.report(source, notes=notes, facts=self._all_facts())

    def _listed_at(self, answer: Document) -> datetime:
        told = answer.updated_at
        return told if told and told <= self.latest else self.latest

    def _listed(self, table: Table, owner: str, rows: pa.Table, at: datetime) -> Pieces:
        """A list's rows, and the end of those that were on the list before and are no more."""
        known = self._lists.get(table.name)
        known = self.known(table.name) if known is None else known
        if is_older(known, owner, self._system, at):
            self.remarks.append(f"A list of {table.name} older than the last one was passed over.")
            return
        gone = ended(table, known, rows, owner, self._system, at)
        yield table.name, rows
        yield table.name, gone
        self._lists[table.name] = pa.concat_tables([rows, gone])

    def _noted(self, answer: Document) -> Account:
        self.account.found(answer)
        self._versions.add(answer.declared or "without a version")
        return self.account

    def _see(self, rows: Mapping[str, Any], at: datetime) -> None:
        ids = rows["vehicle_id"].to_pylist()
        self.evidence.see(ids, floats(rows["lat"]), floats(rows["lon"]))
        moments = pa.array([at] * len(ids), pa.timestamp("us"))
        self._survey.see({**rows, "seen_at": moments}, ids_last=not self._rotating)
        self._facts["snapshots"] = self._facts.get("snapshots", 0) + 1
        self._facts["vehicles in the newest snapshot"] = len(ids)

    @property
    def _rotating(self) -> bool:
        return self.evidence.verdict is Verdict.ROTATING

    def _sightings(self, rows: Mapping[str, Any], at: datetime) -> pa.Table:
        count = len(rows["vehicle_id"])
        charge = self._survey.battery_pct(rows)
        moments = pa.array([at] * count, pa.timestamp("us"))
        values = {
            **rows,
            "seen_at": moments,
            "battery_pct": pa.array(charge, mask=np.isnan(charge)),
        }
        if not self.lasting:
            values["vehicle_id"] = once(rows["vehicle_id"], moments)
        schema = schema_of(SIGHTINGS)
        return pa.Table.from_arrays([values[column.name] for column in schema], schema=schema)

    def _name(self, data: Mapping[str, Any]) -> None:
        parts = [localized(data.get(name)) for name in ("name", "operator", "system_id")]
        self._names[", ".join(dict.fromkeys(part for part in parts if part)) or "no name"] = None

    def _told(self) -> Iterator[str]:
        """What the canonical tables have no place for, in sentences."""
        if self._types:
            forms = Counter(kind.form for kind in self._types.values())
            told = ", ".join(f"{form} {times}" for form, times in sorted(forms.items()))
            yield f"Vehicle types by form: {told}."
        silent = [kind for kind in self._full_range_m
                  if kind not in self._types or self._types[kind].full_range_m is None]  # fmt: skip
        if self._facts.get("snapshots") and silent:
            yield f"The full range of {', '.join(sorted(silent)[:5])} is the longest range seen."
        if listed := list(said(self._plans)):
            more = f" and {len(listed) - _MOST_PLANS} more" if len(listed) > _MOST_PLANS else ""
            yield f"Price plans: {'; '.join(listed[:_MOST_PLANS])}{more}. Prices are the sheet's."
        if self._zones.num_rows:
            zones_ = _count(self._zones, "zone_id")
            yield f"Geofencing zones: {zones_}, of which {_ruled(self._zones)}."

    def _all_facts(self) -> dict[str, float]:
        facts = dict(self._facts)
        if facts.get("snapshots"):
            facts |= self.evidence.facts()
        facts |= {f"full range of {kind}, m": reach
                  for kind, reach in sorted(self._full_range_m.items())}  # fmt: skip
        counts = {
            "vehicle types": len(self._types),
            "stations": len(self._stations),
            "price plans": _count(self._plans, "plan_id"),
            "geofencing zones": _count(self._zones, "zone_id"),
            "kept entries with faulty fields": self.account.faulty_entries,
            "answers that break their version outside the entries":
                self.account.documents_with_faults,
        }  # fmt: skip
        return facts | {label: count for label, count in counts.items() if count}


def _count(rows: pa.Table, name: str) -> int:
    return len(rows.column(name).unique())


def _ruled(zones_: pa.Table) -> str:
    """How many zones forbid what."""
    zone_of = zones_.column("zone_id").to_pylist()

    def zones_where(name: str, holds: Callable[[Any], bool]) -> int:
        values = zones_.column(name).to_pylist()
        return len({zone for zone, value in zip(zone_of, values, strict=True) if holds(value)})

    return (
        f"{zones_where('ride_start_allowed', lambda told: told is False)} forbid starting, "
        f"{zones_where('parking_allowed', lambda told: told is False)} ending, "
        f"{zones_where('ride_through_allowed', lambda told: told is False)} riding through, and "
        f"{zones_where('speed_limit_kmh', lambda told: told is not None)} limit the speed"
    )


def _at(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
