"""Snapshots of a public feed kept as CSV: one row per vehicle and snapshot, GBFS 1 to 3 names.

The mapping is in docs/sources/gbfs-snapshots.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fleetdesk.errors import SourceUnreadable
from fleetdesk.features.cells import geohash_many
from fleetdesk.model.quality import QualityReport
from fleetdesk.model.tables import SIGHTINGS, DType
from fleetdesk.sources.base import OnProgress, Tally, schema_of
from fleetdesk.sources.csv_file import CsvFile, Rows
from fleetdesk.sources.gbfs_ids import once
from fleetdesk.sources.parsing import Mask, floats, parse
from fleetdesk.sources.snapshot_survey import SeenPairs, Survey

OLDEST = datetime(2010, 1, 1)  # shared scooters with a public feed came later
AHEAD = timedelta(days=1)  # a clock that is wrong by more than this is not believed
LONGEST_RANGE_M = 1_000_000.0
Told = Callable[[int], str]
Check = tuple[str, Mask, Told]


@dataclass(frozen=True)
class Role:
    """A canonical meaning and the headers that carry it."""

    name: str
    dtype: DType
    headers: tuple[str, ...]
    required: bool = False


ROLES = (
    Role("vehicle_id", DType.STRING, ("vehicle_id", "bike_id"), required=True),
    Role("seen_at", DType.TIMESTAMP,
         ("snapshot_unix", "snapshot", "snapshot_at", "last_updated", "seen_at"), required=True),
    Role("lat", DType.FLOAT, ("lat", "latitude"), required=True),
    Role("lon", DType.FLOAT, ("lon", "lng", "longitude"), required=True),
    Role("last_reported_at", DType.TIMESTAMP, ("last_reported_unix", "last_reported")),
    Role("range_m", DType.FLOAT, ("current_range_meters",)),
    Role("fuel", DType.FLOAT, ("current_fuel_percent",)),
    Role("is_reserved", DType.BOOL, ("is_reserved",)),
    Role("is_disabled", DType.BOOL, ("is_disabled",)),
    Role("vehicle_type", DType.STRING, ("vehicle_type_id",)),
)  # fmt: skip
_KNOWN = {header for role in ROLES for header in role.headers}
_ALIKE = 0.6


class GbfsSnapshots:
    """One CSV file (plain or gzip) as the canonical tables `sightings` and `vehicles`.

    `now` bounds what is believed to be a time. `known_vehicles` is the canonical table `vehicles`
    of earlier imports: full ranges and first records are carried on from it.
    """

    def __init__(
        self, path: Path, *, now: datetime, known_vehicles: pa.Table | None = None
    ) -> None:
        self.name = path.name
        self._latest = now.replace(tzinfo=None) + AHEAD
        self._known = known_vehicles
        self._file = CsvFile(path)
        self._places = _places(self._file)
        self._rotating = False
        self._report: QualityReport | None = None

    def read(self, on_progress: OnProgress | None = None) -> Iterator[tuple[str, pa.Table]]:
        """Yield pieces of `sightings`, at last `vehicles` unless ids rotate; reads the file twice.

        The first pass finds each type's full range, without which no row has a charge.
        """
        tell = on_progress or _nobody
        survey = Survey(self._known)
        for rows in self._good_rows(Tally(), lambda done: tell(done / 2)):
            survey.see(rows)
        self._rotating = survey.ids_rotate()
        tally = Tally()
        for rows in self._good_rows(tally, lambda done: tell(0.5 + done / 2)):
            yield "sightings", self._sightings(rows, survey)
        if tally.rows_in == tally.rows_dropped:
            raise SourceUnreadable(
                f"{self.name} holds no usable row",
                found="; ".join(
                    f"{entry.rows} rows: {entry.reason} ({entry.examples[0]})"
                    for entry in tally.dropped()
                )
                or "a header and nothing else",
                fix="Check that the columns hold what their headers say",
            )
        if not self._rotating:
            yield "vehicles", survey.vehicles()
        tell(1.0)
        self._report = tally.report(self.name, notes=self._notes(survey), facts=survey.facts())

    def report(self) -> QualityReport:
        """What became of the rows; only after `read` has come to its end."""
        if self._report is None:
            raise RuntimeError("the report exists only after the source has been read")
        return self._report

    def _good_rows(self, tally: Tally, on_progress: OnProgress) -> Iterator[dict[str, Any]]:
        """Parsed columns of the rows that stand every check; the others are counted."""
        seen = SeenPairs()
        for rows in self._file.rows(tally, on_progress):
            columns, broken = self._parsed(rows)
            good = np.ones(len(rows.numbers), dtype=bool)
            for reason, mask, told in self._checks(rows, columns, broken):
                _drop(tally, reason, good & mask, rows.numbers, told)
                good &= ~mask
            places = np.flatnonzero(good)
            again = seen.again(columns["vehicle_id"].take(places), columns["seen_at"].take(places))
            repeated = np.zeros(len(good), dtype=bool)
            repeated[places[again]] = True
            reason = "second row of a vehicle in one snapshot"
            _drop(tally, reason, repeated, rows.numbers, _cell(columns["vehicle_id"]))
            keep = pa.array(places[~again])
            if len(keep):
                yield {name: values.take(keep) for name, values in columns.items()}

    def _parsed(self, rows: Rows) -> tuple[dict[str, Any], list[Check]]:
        columns: dict[str, Any] = {}
        broken = []
        for role in ROLES:
            if role.name not in self._places:
                continue
            place = self._places[role.name]
            texts = rows.texts.column(place)
            parsed = parse(texts, role.dtype)
            columns[role.name] = parsed.values
            header = self._file.header[place]
            broken.append((f"{header} cannot be read", parsed.bad, _cell(texts, f"{header} is ")))
        return columns, broken

    def _checks(
        self, rows: Rows, columns: Mapping[str, Any], broken: Sequence[Check]
    ) -> Iterator[Check]:
        """Reason, rows it strikes, what to show; in the order in which reasons are given."""
        texts = [np.asarray(pc.is_null(column)) for column in rows.texts.columns]
        yield "empty row", np.all(np.stack(texts), axis=0), _nothing
        ids = columns["vehicle_id"]
        yield "no vehicle id", np.asarray(pc.is_null(ids)), _nothing
        yield from broken
        seen_at = columns["seen_at"]
        yield "no time", np.asarray(pc.is_null(seen_at)), _cell(ids)
        old = pc.fill_null(pc.less(seen_at, pa.scalar(OLDEST, pa.timestamp("us"))), False)
        yield "time before 2010", np.asarray(old), _cell(seen_at, "time is ")
        late = pc.fill_null(pc.greater(seen_at, pa.scalar(self._latest, pa.timestamp("us"))), False)
        yield "time in the future", np.asarray(late), _cell(seen_at, "time is ")
        lat, lon = floats(columns["lat"]), floats(columns["lon"])
        yield "no position", np.isnan(lat) | np.isnan(lon), _cell(ids)
        yield (
            "position off the earth",
            (np.abs(lat) > 90) | (np.abs(lon) > 180),
            lambda row: f"{lat[row]}, {lon[row]}",
        )
        yield "position 0, 0", (lat == 0) & (lon == 0), _cell(ids)
        if "range_m" in columns:
            range_m = floats(columns["range_m"])
            yield "negative range", range_m < 0, _cell(columns["range_m"], "range is ")
            yield (
                f"range above {LONGEST_RANGE_M / 1000:.0f} km", range_m > LONGEST_RANGE_M,
                _cell(columns["range_m"], "range is "),
            )  # fmt: skip
        if "fuel" in columns:
            fuel = floats(columns["fuel"])
            yield (
                "charge outside 0 to 100 %", (fuel < 0) | (fuel > 100),
                _cell(columns["fuel"], "charge is "),
            )  # fmt: skip

    def _sightings(self, rows: Mapping[str, Any], survey: Survey) -> pa.Table:
        count = len(rows["vehicle_id"])
        lat, lon = floats(rows["lat"]), floats(rows["lon"])
        charge = survey.battery_pct(rows)
        values = dict(rows) | {
            "cell": pa.array(geohash_many(lat, lon, 7), pa.string()),
            "battery_pct": pa.array(charge, mask=np.isnan(charge)),
        }
        if self._rotating:
            values["vehicle_id"] = once(rows["vehicle_id"], rows["seen_at"])
        for flag in ("is_reserved", "is_disabled"):
            given = rows.get(flag, pa.nulls(count, pa.bool_()))
            values[flag] = pc.fill_null(given, False)
        schema = schema_of(SIGHTINGS)
        return pa.Table.from_arrays(
            [values.get(column.name, pa.nulls(count, column.type)) for column in schema],
            schema=schema,
        )

    def _notes(self, survey: Survey) -> tuple[str, ...]:
        notes = []
        used = set(self._places.values())
        unused = [name for place, name in enumerate(self._file.header) if place not in used]
        if unused:
            notes.append(f"Columns not used: {', '.join(unused)}.")
        if "fuel" in self._places:
            scale = "0 to 1" if survey.fuel_is_share else "0 to 100"
            notes.append(f"Battery is current_fuel_percent, read as {scale}.")
        if "range_m" in self._places:
            notes.append(
                "Full range is the longest range seen of each type"
                + ("." if "fuel" in self._places else "; battery is 100 x range / full range.")
            )
        if not {"range_m", "fuel"} & set(self._places):
            notes.append("There is neither range nor charge, so swaps cannot be seen.")
        notes += [
            f"There is no column {flag}; taken as no."
            for flag in ("is_reserved", "is_disabled") if flag not in self._places
        ]  # fmt: skip
        if self._rotating:
            notes.append(
                "Vehicle ids last for few snapshots: the feed gives new ids after trips, so only "
                "the newest snapshot counts, and no trips, swaps or histories are built."
            )
        return tuple(notes)


def _places(file: CsvFile) -> dict[str, int]:
    """Where each role's column is; SourceUnreadable when a needed one is missing or double."""
    headers = [name.casefold() for name in file.header]
    places: dict[str, int] = {}
    problems = []
    for role in ROLES:
        found = [place for place, name in enumerate(headers) if name in role.headers]
        if len(found) > 1:
            names = " and ".join(file.header[place] for place in found)
            problems.append(f"{names} mean the same")
        elif found:
            places[role.name] = found[0]
        elif role.required:
            near = _nearest(role, [name for name in file.header if name.casefold() not in _KNOWN])
            hint = f" (did you mean {near!r}?)" if near else ""
            problems.append(f"no column {' or '.join(role.headers)}{hint}")
    if problems:
        raise SourceUnreadable(
            f"{file.path.name} does not have the columns of vehicle snapshots",
            found=f"{'; '.join(problems)}; its columns are {', '.join(file.header)}",
            fix="Rename the columns as in GBFS; see docs/sources/gbfs-snapshots.md",
        )
    return places


def _nearest(role: Role, unused: Sequence[str]) -> str | None:
    likeness = {
        name: max(SequenceMatcher(None, name.casefold(), known).ratio() for known in role.headers)
        for name in unused
    }
    best = max(likeness, key=lambda name: likeness[name], default=None)
    return best if best is not None and likeness[best] >= _ALIKE else None


def _drop(
    tally: Tally, reason: str, mask: Mask, numbers: npt.NDArray[np.int64], told: Told
) -> None:
    struck = np.flatnonzero(mask)
    if len(struck):
        examples = (f"row {numbers[row]}: {told(int(row))}".rstrip(": ") for row in struck)
        tally.drop(reason, len(struck), examples)


def _cell(values: Any, label: str = "") -> Told:
    return lambda row: f"{label}{values[row].as_py()}"


def _nothing(row: int) -> str:  # noqa: ARG001
    return ""


def _nobody(done: float) -> None:
    """Progress that nobody watches."""
