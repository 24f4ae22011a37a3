"""The table `vehicles` as rows of other tables show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from fleetdesk.model.tables import TABLES, VEHICLES
from fleetdesk.sources.base import schema_of

UNKNOWN_TYPE = "unknown"
_SHOWING = ("trips", "telemetry")


@dataclass
class SeenVehicles:
    """Collects each vehicle's type and first record; what the store knows of it is carried on."""

    known: pa.Table | None = None
    _rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for row in self.known.to_pylist() if self.known is not None else ():
            self._rows[row["vehicle_id"]] = row

    def see(self, table: str, rows: pa.Table, kinds: pa.Array) -> None:
        """Take note of canonical rows and of the types beside them, null where none is given."""
        if table not in _SHOWING:
            return
        time = TABLES[table].time_column
        seen = pa.table({"id": rows.column("vehicle_id"), "at": rows.column(time), "kind": kinds})
        seen = seen.filter(seen.column("id").is_valid())
        grouped = seen.group_by("id", use_threads=False).aggregate([("at", "min"), ("kind", "max")])
        for row in grouped.to_pylist():
            self._note(row["id"], row["at_min"], row["kind_max"])

    def fresh(self) -> pa.Table:
        """The vehicles that are new or changed since the last call, sorted by id."""
        rows = [self._rows[vehicle] for vehicle in sorted(self._changed)]
        self._changed.clear()
        return pa.Table.from_pylist(rows, schema=schema_of(VEHICLES))

    def _note(self, vehicle: str, at: datetime, kind: str | None) -> None:
        before = self._rows.get(vehicle)
        if before is None:
            self._rows[vehicle] = {
                "vehicle_id": vehicle, "vehicle_type": kind or UNKNOWN_TYPE, "full_range_m": None,
                "battery_capacity_wh": None, "first_seen_at": at,
            }  # fmt: skip
        else:
            after = before | {
                "vehicle_type": kind or before["vehicle_type"],
                "first_seen_at": min(at, before["first_seen_at"]),
            }
            if after == before:
                return
            self._rows[vehicle] = after
        self._changed.add(vehicle)
