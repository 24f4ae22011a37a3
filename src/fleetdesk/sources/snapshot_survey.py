"""What has to be known of a whole file of vehicle snapshots before and while its rows are used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fleetdesk.model.tables import VEHICLES
from fleetdesk.sources.base import schema_of
from fleetdesk.sources.parsing import Mask, floats

UNKNOWN_TYPE = "unknown"


@dataclass
class Survey:
    """What has to be known of the whole file: full ranges, charge scale, each vehicle's record."""

    known: pa.Table | None
    full_range_m: dict[str, float] = field(default_factory=dict)
    most_fuel: float = 0.0
    _types: dict[str, str] = field(default_factory=dict)
    _first: dict[str, datetime] = field(default_factory=dict)
    _sightings: dict[str, int] = field(default_factory=dict)
    _snapshots: set[datetime] = field(default_factory=set)

    def __post_init__(self) -> None:
        for row in self.known.to_pylist() if self.known is not None else ():
            if row["full_range_m"] is not None:
                before = self.full_range_m.get(row["vehicle_type"], 0.0)
                self.full_range_m[row["vehicle_type"]] = max(before, row["full_range_m"])
            self._first[row["vehicle_id"]] = row["first_seen_at"]

    @property
    def fuel_is_share(self) -> bool:
        """GBFS says 0 to 1; some feeds give 0 to 100."""
        return self.most_fuel <= 1.0

    def see(self, rows: Mapping[str, Any], *, ids_last: bool = True) -> None:
        """Take note of some good rows; of the vehicles themselves only where their ids last."""
        types = _types(rows)
        if "range_m" in rows:
            of_type = pa.table({"type": types, "range": rows["range_m"]}).group_by("type")
            for row in of_type.aggregate([("range", "max")]).to_pylist():
                if row["range_max"]:
                    before = self.full_range_m.get(row["type"], 0.0)
                    self.full_range_m[row["type"]] = max(before, row["range_max"])
        if "fuel" in rows:
            self.most_fuel = max(self.most_fuel, pc.max(rows["fuel"]).as_py() or 0.0)
        self._snapshots.update(pc.unique(rows["seen_at"]).to_pylist())
        if not ids_last:
            return
        by_vehicle = pa.table({"id": rows["vehicle_id"], "at": rows["seen_at"], "type": types})
        grouped = by_vehicle.group_by("id", use_threads=False).aggregate(
            [("at", "min"), ("at", "count"), ("type", "last")]
        )
        for row in grouped.to_pylist():
            vehicle = row["id"]
            self._types[vehicle] = row["type_last"]
            self._first[vehicle] = min(self._first.get(vehicle, row["at_min"]), row["at_min"])
            self._sightings[vehicle] = self._sightings.get(vehicle, 0) + row["at_count"]

    def battery_pct(self, rows: Mapping[str, Any]) -> npt.NDArray[np.float64]:
        """The feed's own charge, else range over full range; NaN where neither is known."""
        charge = np.full(len(rows["vehicle_id"]), np.nan)
        if "range_m" in rows:
            coded = _types(rows).dictionary_encode()
            full = np.array([self.full_range_m.get(kind, np.nan)
                             for kind in coded.dictionary.to_pylist()])  # fmt: skip
            charge = 100 * floats(rows["range_m"]) / full[np.asarray(coded.indices)]
        if "fuel" in rows:
            own = floats(rows["fuel"]) * (100 if self.fuel_is_share else 1)
            charge = np.where(np.isnan(own), charge, own)
        return charge

    def vehicles(self) -> pa.Table:
        """The canonical table `vehicles` of the file, sorted by id."""
        ids = sorted(self._sightings)
        return pa.Table.from_arrays(
            [
                pa.array(ids, pa.string()),
                pa.array([self._types[vehicle] for vehicle in ids], pa.string()),
                pa.array([self.full_range_m.get(self._types[v]) for v in ids], pa.float64()),
                pa.nulls(len(ids), pa.float64()),
                pa.array([self._first[vehicle] for vehicle in ids], pa.timestamp("us")),
            ],
            schema=schema_of(VEHICLES),
        )

    def ids_rotate(self) -> bool:
        """Whether most ids show in less than a tenth of many snapshots."""
        counts = list(self._sightings.values())
        return len(self._snapshots) >= 20 and bool(np.median(counts) < len(self._snapshots) / 10)

    def facts(self) -> dict[str, float]:
        """Figures for the report under their labels."""
        counts = list(self._sightings.values())
        return {
            "snapshots": len(self._snapshots),
            "vehicles": len(counts),
            "sightings per vehicle, median": float(np.median(counts)),
        } | {
            f"full range of {kind}, m": value for kind, value in sorted(self.full_range_m.items())
        }  # fmt: skip


class SeenPairs:
    """Remembers which vehicles each snapshot has shown, at four bytes per row."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._shown: dict[int, npt.NDArray[np.int32]] = {}

    def again(self, ids: pa.Array, times: pa.Array) -> Mask:
        """Which of these rows repeat a pair that came before."""
        coded = ids.dictionary_encode()
        codes = np.array([self._codes.setdefault(text, len(self._codes))
                          for text in coded.dictionary.to_pylist()], dtype=np.int32)  # fmt: skip
        vehicles = codes[np.asarray(coded.indices)]
        moments = np.asarray(times.cast(pa.int64()))
        again = np.zeros(len(moments), dtype=bool)
        order = np.argsort(moments, kind="stable")
        edges = np.flatnonzero(np.diff(moments[order])) + 1
        for places in np.split(order, edges) if len(order) else ():
            moment = int(moments[places[0]])
            shown = self._shown.get(moment, np.empty(0, dtype=np.int32))
            fresh, first = np.unique(vehicles[places], return_index=True)
            repeated = np.ones(len(places), dtype=bool)
            repeated[first[~np.isin(fresh, shown)]] = False
            again[places] = repeated
            self._shown[moment] = np.union1d(shown, fresh).astype(np.int32)
        return again


def _types(rows: Mapping[str, Any]) -> Any:
    if "vehicle_type" not in rows:
        return pa.array([UNKNOWN_TYPE] * len(rows["vehicle_id"]), pa.string())
    return pc.fill_null(rows["vehicle_type"], UNKNOWN_TYPE)
