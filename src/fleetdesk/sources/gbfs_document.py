"""One answer of a GBFS server: its envelope, its entries, and the account of both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.base import Tally
from fleetdesk.sources.gbfs_checks import MISSING, SHOWN, Fault, time_of
from fleetdesk.sources.gbfs_shapes import (
    ENTRIES,
    LATEST,
    V30,
    VERSIONS,
    Version,
    data_check,
    entry_check,
    envelope,
)

_MOST_KINDS = 200  # of faults that are told apart
_MOST_NOTES = 30
_INDEX = re.compile(r"\[\d+\]")
_LONGEST_TTL_S = 86_400
# What a list in `data` is called, and the feeds that have one.
_SIGNS = {
    "bikes": "free_bike_status",
    "vehicles": "vehicle_status",
    "vehicle_types": "vehicle_types",
    "plans": "system_pricing_plans",
    "geofencing_zones": "geofencing_zones",
    "datasets": "manifest",
    "feeds": "gbfs",
    "system_id": "system_information",
}
_VEHICLE_FEEDS = ("free_bike_status", "vehicle_status")


@dataclass(frozen=True)
class Document:
    """A feed's answer; `updated_at` is None where it cannot be read, `ttl_s` is never negative."""

    feed: str
    version: Version
    declared: str
    updated_at: datetime | None
    ttl_s: int
    data: dict[str, Any]
    entries: list[Any]
    path: str  # of the entries, such as data.bikes
    faults: tuple[Fault, ...]

    def at(self, row: int) -> str:
        """The path of an entry, such as data.bikes[17]."""
        return self.path if self.feed == "system_information" else f"{self.path}[{row}]"


@dataclass
class Account:
    """What became of all entries: dropped ones by reason, kept ones with faulty fields by field."""

    tally: Tally = field(default_factory=Tally)
    _faulty: dict[str, tuple[int, str]] = field(default_factory=dict)
    faulty_entries: int = 0
    documents_with_faults: int = 0

    def drop(self, feed: str, reason: str, example: str) -> None:
        """One entry is left out: reason such as `data.bikes[].lat missing`."""
        self.tally.drop(f"{feed}: {reason}", 1, iter([f"{feed}: {example}"]))

    def unread(self, what: str, why: SourceUnreadable) -> None:
        """A whole answer is left out and counts as one."""
        self.tally.rows_in += 1
        self.tally.drop(f"{what} cannot be used", 1, iter([f"{why.cause}: {why.found}"]))

    def found(self, document: Document) -> None:
        """Note the faults of an answer outside its entries."""
        self.documents_with_faults += bool(document.faults)
        self._note(document.feed, document.faults)

    def kept(self, document: Document, place: int, faults: list[Fault]) -> None:
        """Note the faults of an entry that is kept without the faulty fields."""
        if faults:
            self.faulty_entries += 1
            self._note(document.feed, [(document.at(place) + path, what) for path, what in faults])

    def notes(self) -> Iterator[str]:
        """A sentence per kind of fault, the most frequent first."""
        kinds = sorted(self._faulty.items(), key=lambda item: (-item[1][0], item[0]))
        for kind, (times, example) in kinds[:_MOST_NOTES]:
            more = f" ({times} times)" if times > 1 else ""
            yield f"Against its version, kept without the field: {kind}{more}, such as {example}."
        if len(kinds) > _MOST_NOTES:
            yield f"{len(kinds) - _MOST_NOTES} more kinds of faulty fields."

    def _note(self, feed: str, faults: tuple[Fault, ...] | list[Fault]) -> None:
        for path, what in faults:
            kind = f"{feed}: {said(path, what)}"
            if kind not in self._faulty and len(self._faulty) >= _MOST_KINDS:
                kind = f"{feed}: other fields"
            times, example = self._faulty.get(kind, (0, f"{path}: {what}"))
            self._faulty[kind] = times + 1, example


def document(values: Any, hint: str, where: str) -> Document:
    """The answer at `where` read as the feed `hint`, or as what it shows itself to be.

    SourceUnreadable where it holds no data that belong to a feed.
    """
    if not isinstance(values, dict) or not isinstance(values.get("data"), dict):
        found = "no field data" if isinstance(values, dict) else "JSON that is no object"
        raise _no_feed(where, found)
    data = values["data"]
    feed = _shown_feed(data, hint)
    version, declared = _version(values)
    names, entries = _entries(feed, data)
    if not isinstance(entries, list):
        raise _no_feed(where, f"no list data.{'.'.join(names)} of the feed {feed}")
    faults = envelope(version)(values)
    if feed in _VEHICLE_FEEDS and names != ENTRIES[_vehicle_feed(version)]:
        faults.append((f".data.{ENTRIES[_vehicle_feed(version)][0]}", MISSING))
    elif feed != "system_information":
        faults += [(f".data{path}", what) for path, what in data_check(feed, version)(data)]
    ttl = values.get("ttl")
    good_ttl = isinstance(ttl, int | float) and 0 <= ttl <= _LONGEST_TTL_S
    return Document(
        feed=feed,
        version=version,
        declared=declared,
        updated_at=time_of(values.get("last_updated")),
        ttl_s=int(ttl) if good_ttl and ttl is not None else 0,
        data=data,
        entries=entries,
        path=".".join(("data", *names)),
        faults=tuple((path.lstrip("."), what) for path, what in faults),
    )


def checked(answer: Document) -> Iterator[tuple[int, Any, list[Fault]]]:
    """(row, entry, faults) of each entry."""
    feed = _vehicle_feed(answer.version) if answer.feed in _VEHICLE_FEEDS else answer.feed
    check = entry_check(feed, answer.version)
    for place, entry in enumerate(answer.entries):
        yield place, entry, check(entry)


def said(path: str, what: str) -> str:
    """`data.bikes[].lat missing`, or `unusable`, without what differs from row to row."""
    return f"{_INDEX.sub('[]', path)} {MISSING if what == MISSING else 'unusable'}"


def _shown_feed(data: dict[str, Any], hint: str) -> str:
    if hint in ENTRIES and _entries(hint, data)[1] is not None:
        return hint
    for name, feed in _SIGNS.items():
        if name in data:
            return feed
    stations = data.get("stations")
    if isinstance(stations, list):
        first = next((entry for entry in stations if isinstance(entry, dict)), {})
        return "station_information" if "lat" in first else "station_status"
    return hint or "gbfs"


def _entries(feed: str, data: dict[str, Any]) -> tuple[tuple[str, ...], Any]:
    """Where the entries are and what is there; the vehicles under the names of both generations."""
    if feed in ("gbfs", "system_information"):
        return (), [data] if feed == "system_information" else []
    tried = [ENTRIES[feed]]
    if feed in _VEHICLE_FEEDS:
        tried += [ENTRIES[other] for other in _VEHICLE_FEEDS if other != feed]
    for names in tried:
        found: Any = data
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        if found is not None:
            return names, found
    return ENTRIES[feed], None


def _vehicle_feed(version: Version) -> str:
    return "vehicle_status" if version >= V30 else "free_bike_status"


def _version(values: dict[str, Any]) -> tuple[Version, str]:
    """The version to check against: the declared one, else the nearest that there is."""
    declared = values.get("version")
    if isinstance(declared, str) and declared in VERSIONS:
        return VERSIONS[declared], declared
    if isinstance(declared, str | int | float) and not isinstance(declared, bool):
        digits = re.match(r"(\d)\.?(\d)?", str(declared))
        if digits:
            asked = int(digits[1]), int(digits[2] or 0)
            older = [known for known in VERSIONS.values() if known <= asked]
            return max(older, default=(1, 0)), str(declared)[:SHOWN]
        return LATEST, str(declared)[:SHOWN]
    return (V30 if isinstance(values.get("last_updated"), str) else (1, 0)), ""


def _no_feed(where: str, found: str) -> SourceUnreadable:
    return SourceUnreadable(
        f"{where} is not a feed of GBFS",
        found=found,
        fix="Check the address or the file; nothing was imported",
    )
