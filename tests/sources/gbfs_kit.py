"""Small feeds of GBFS, a store to import them into, and what an import gives."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import ibis
import pyarrow as pa

from fleetdesk.model.quality import QualityReport
from fleetdesk.model.tables import TABLES
from fleetdesk.sources.base import Checkpoint, Source, Surroundings, schema_of
from fleetdesk.store.base import Store

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
T0 = int(NOW.timestamp()) - 3600
LAT, LON = 52.42, 10.78
NORTH_M = 111_195.0  # metres per degree of latitude


def vehicle(name: str, north_m: float = 0.0, **given: Any) -> dict[str, Any]:
    """A vehicle of GBFS 2 so many metres north of the middle of the town."""
    return {
        "bike_id": name, "lat": LAT + north_m / NORTH_M, "lon": LON, "is_reserved": False,
        "is_disabled": False, "vehicle_type_id": "s", "current_range_meters": 20_000, **given,
    }  # fmt: skip


def feed(entries: Any, at: int = T0, *, name: str = "bikes", **given: Any) -> dict[str, Any]:
    """An answer of GBFS 2.3."""
    return {"last_updated": at, "ttl": 0, "version": "2.3", "data": {name: entries}, **given}


TYPES = feed(
    [{"vehicle_type_id": "s", "form_factor": "scooter_standing", "propulsion_type": "electric",
      "max_range_meters": 40_000}],
    name="vehicle_types",
)  # fmt: skip


def body(values: Any) -> bytes:
    return json.dumps(values).encode()


def lay(folder: Path, answers: Mapping[str, Any]) -> Path:
    """Write answers as files: `name: values`, or bytes as they are."""
    for name, values in answers.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(values if isinstance(values, bytes) else body(values))
    return folder


@dataclass
class Got:
    """All pieces of one import, put together by table."""

    report: QualityReport
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    watermarks: list[Mapping[str, str]] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [row["vehicle_id"] for row in self.tables.get("sightings", [])]

    def told(self) -> str:
        """Everything that the report says of what was wrong."""
        examples = [text for entry in self.report.dropped for text in entry.examples]
        reasons = [entry.reason for entry in self.report.dropped]
        return "\n".join([*examples, *reasons, *self.report.notes])


def empty_tables() -> dict[str, Any]:
    return {name: ibis.memtable(schema_of(table).empty_table()) for name, table in TABLES.items()}


def around(
    folder: Path,
    *,
    watermark: Mapping[str, str] | None = None,
    tables: Mapping[str, Any] | None = None,
    now: datetime = NOW,
    secrets: Mapping[str, str] | None = None,
    **options: str,
) -> Surroundings:
    known = secrets or {}
    values = {
        "now": now, "watermark": watermark or {}, "tables": tables or empty_tables(),
        "folder": folder, "options": options, "secret": known.get,
    }  # fmt: skip
    return Surroundings(**values)


def taken(source: Source) -> Got:
    """Read a source to its end; each piece must be in its table's exact columns."""
    tables: dict[str, list[dict[str, Any]]] = {}
    watermarks = []
    told: list[float] = []
    for piece in source.read(told.append):
        if isinstance(piece, Checkpoint):
            watermarks.append(piece.watermark)
            continue
        name, rows = piece
        assert rows.schema.equals(schema_of(TABLES[name]))
        tables.setdefault(name, []).extend(rows.to_pylist())
    assert told == sorted(told) and told[-1] == 1.0
    return Got(source.report(), tables, watermarks)


def kept(store: Store, source: Source) -> Got:
    """Import a source into a store, as the command does."""
    got: list[tuple[str, pa.Table]] = []
    watermarks = []
    for piece in source.read():
        if isinstance(piece, Checkpoint):
            watermarks.append(piece.watermark)
        else:
            got.append(piece)
    with store.new_generation(source.name) as generation:
        for name, rows in got:
            generation.append(name, rows)
        generation.describe(source.report())
    tables: dict[str, list[dict[str, Any]]] = {}
    for name, rows in got:
        tables.setdefault(name, []).extend(rows.to_pylist())
    return Got(source.report(), tables, watermarks)


def several(names: Iterable[str], **given: Any) -> list[dict[str, Any]]:
    """Vehicles 100 m apart in a line."""
    return [vehicle(name, 100.0 * place, **given) for place, name in enumerate(names)]


class Town:
    """Vehicles that are ridden now and then, shown under ids of a fashion.

    `ids`: "lasting"; "trips" (a new one after each trip); "snapshots" (new ones each time);
    "numbers" (1, 2, 3 ... dealt anew each time).
    """

    def __init__(self, ids: str, *, vehicles: int = 80, share: float = 0.06) -> None:
        self.fashion, self.share = ids, share
        self.rng = Random(7)
        self.places = [self._anywhere() for _ in range(vehicles)]
        self.away = [0] * vehicles
        self.trips = [0] * vehicles
        self.taken = 0

    def snapshot(self) -> list[dict[str, Any]]:
        """The vehicles that stand free now; time goes on by one snapshot."""
        self.taken += 1
        free = []
        for number, left in enumerate(self.away):
            if left:
                self.away[number] -= 1
                if left == 1:
                    self.places[number] = self._anywhere()
                    self.trips[number] += 1
            elif self.rng.random() < self.share:
                self.away[number] = 2
            if not self.away[number]:
                free.append(number)
        self.rng.shuffle(free)
        return [
            {**vehicle(self._id(number, row)), "lat": self.places[number][0],
             "lon": self.places[number][1]}
            for row, number in enumerate(free)
        ]  # fmt: skip

    def feeds(self, snapshots: int) -> list[dict[str, Any]]:
        """So many answers, five minutes apart."""
        return [feed(self.snapshot(), T0 + 300 * number) for number in range(snapshots)]

    def _id(self, number: int, row: int) -> str:
        return {
            "lasting": f"v{number}",
            "trips": f"v{number}-{self.trips[number]}",
            "snapshots": f"v{number}-{self.taken}",
            "numbers": f"{row}",
        }[self.fashion]

    def _anywhere(self) -> tuple[float, float]:
        return LAT + self.rng.uniform(-0.02, 0.02), LON + self.rng.uniform(-0.03, 0.03)
