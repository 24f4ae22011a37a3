"""A planner's own files - CSV, Excel, Parquet, JSON - by a mapping that the planner confirms.

What is guessed, asked and dropped is in docs/sources/files.md.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.quality import QualityReport
from fleetdesk.model.tables import TABLES
from fleetdesk.sources.base import Checkpoint, OnProgress, Piece, Tally
from fleetdesk.sources.csv_file import CsvFile
from fleetdesk.sources.mapped_agreement import Say, agreed, common_sample
from fleetdesk.sources.mapped_checks import FAR_KM, Limits
from fleetdesk.sources.mapped_readers import RowFile, files_at, open_rows
from fleetdesk.sources.mapped_rejects import MOST, Rejects
from fleetdesk.sources.mapped_rows import Counts, MappedRows
from fleetdesk.sources.mapped_vehicles import SeenVehicles
from fleetdesk.sources.mapping import (
    FILE_NAME,
    RIDER,
    ColumnMapping,
    fingerprint,
    prefixes,
    target_columns,
)
from fleetdesk.sources.mapping_forms import read_positions, read_values, trimmed
from fleetdesk.sources.mapping_sample import densest
from fleetdesk.sources.parsing import floats

Place = tuple[float, float]
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Wishes:
    """What the planner said beside the place and the mapping; empty means that nothing was.

    `vehicle_types` are those to keep, all if empty; `centre` is the city's middle, else that of
    the file; `far_km` is how far from it rows are believed, 0 = any distance.
    """

    say: Say
    encoding: str = ""
    sheet: str = ""
    vehicle_types: tuple[str, ...] = ()
    centre: Place | None = None
    far_km: float = FAR_KM


def wishes_of(options: Mapping[str, str], folder: Path, *, trust: bool = False) -> Wishes:
    """The planner's options by name; SourceUnreadable for one that cannot be read.

    `folder` is where mappings and rejected rows lie; `trust` takes a guess without asking.
    """
    get = options.get
    say = Say(
        folder, get("mapping", ""), get("confirm", "").strip().lower() in ("yes", "y", "true", "1"),
        trust, get("table", ""), get("timezone", ""),
    )  # fmt: skip
    if say.table and say.table not in TABLES:
        raise _strange("table", say.table, f"one of {', '.join(TABLES)}")
    try:
        ZoneInfo(say.timezone or "UTC")
    except (LookupError, ValueError, OSError) as trouble:
        raise _strange("timezone", say.timezone, "such as Europe/Athens") from trouble
    try:
        codecs.lookup(get("encoding", "") or "utf-8")
    except LookupError as trouble:
        raise _strange("encoding", get("encoding", ""), "such as cp1253") from trouble
    return Wishes(
        say,
        encoding=get("encoding", ""),
        sheet=get("sheet", ""),
        vehicle_types=tuple(filter(None, get("vehicle-types", "").split(","))),
        centre=centre_of(options),
        far_km=far_km_of(options),
    )


def centre_of(options: Mapping[str, str]) -> Place | None:
    """The option centre, LAT,LON in degrees; None where it is not given."""
    text = options.get("centre", "")
    parts = [_number("centre", part) for part in text.split(",") if part.strip()]
    if not parts:
        return None
    if len(parts) != len(("lat", "lon")) or abs(parts[0]) > 90 or abs(parts[1]) > 180:
        raise _strange("centre", text, "LAT,LON in degrees")
    return parts[0], parts[1]


def far_km_of(options: Mapping[str, str]) -> float:
    """The option far-km."""
    return _number("far-km", options.get("far-km", str(FAR_KM)))


def _number(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise _strange(option, text, "a number") from None


def _strange(option: str, text: str, wanted: str) -> SourceUnreadable:
    return SourceUnreadable(
        f"The option {option} cannot be used", found=repr(text), fix=f"Give {wanted}"
    )


class MappedFiles:
    """A file, or the files of a folder that have the columns of the mapping.

    `now` is UTC-aware; `known_vehicles` is the store's canonical table; `watermark` tells which
    files of a folder were read before; `pseudonym` makes what stands for a rider's id in files.
    """

    def __init__(
        self,
        place: Path,
        wishes: Wishes,
        *,
        now: datetime,
        known_vehicles: pa.Table | None = None,
        watermark: Mapping[str, str] | None = None,
        name: str = "",
        pseudonym: Callable[[str], str] = str,
    ) -> None:
        self.name = name or place.name
        self._pseudonym = pseudonym
        self._wishes = wishes
        self._now = now
        self._known = known_vehicles
        self._before = dict(watermark or {})
        self._notes: list[str] = []
        self._report: QualityReport | None = None
        files = self._opened(files_at(place), several=place.is_dir())
        self._sample = cache(lambda: common_sample(files))
        self._mapping, notes = agreed(self.name, files, self._sample, wishes.say)
        self._notes.extend(notes)
        self._files = self._fitting(files)
        self._unread = [file for file in self._files if not self._is_known(file.path)]

    @property
    def mapping(self) -> ColumnMapping:
        """What the files are read by."""
        return self._mapping

    def read(self, on_progress: OnProgress | None = None) -> Iterator[Piece]:
        """Yield the mapped table and `vehicles`, and a checkpoint after each file."""
        tally, counts = Tally(), Counts()
        limits = Limits(self._now, self._centre(), self._wishes.far_km)
        types = self._wishes.vehicle_types
        rows = MappedRows(self._mapping, limits, tally, counts, types=types)
        vehicles = SeenVehicles(self._known)
        header = list(dict.fromkeys(name for file in self._unread for name in file.header))
        riders = {rule.column for rule in self._mapping.rules if rule.target == RIDER}
        folder = self._wishes.say.folder
        rejects = Rejects(folder, self.name, header, riders, self._pseudonym)
        marks = dict(self._before)
        try:
            for turn, file in enumerate(self._unread):
                share = _share(on_progress, turn, len(self._unread))
                yield from self._read(file, rows, vehicles, tally, rejects, share)
                marks[file.path.name] = self._mark(file.path)
                yield Checkpoint(dict(marks))
        except BaseException:
            rejects.abandon()
            raise
        if rejects.finish():
            most = f" (the first {MOST})" if rejects.written == MOST else ""
            self._notes.append(
                f"Rows that were dropped are in {rejects.path.name}{most}: mend them there and "
                "import that file."
            )
        if not self._unread:
            yield Checkpoint(marks)
        self._report = tally.report(
            self.name,
            notes=(*self._notes, *self._sentences(limits)),
            facts={**counts.facts, **rows.overlaps()},
        )

    def report(self) -> QualityReport:
        """What became of the rows; only after `read` has come to its end."""
        if self._report is None:
            raise RuntimeError("the report exists only after the source has been read")
        return self._report

    def _read(
        self,
        file: RowFile,
        rows: MappedRows,
        vehicles: SeenVehicles,
        tally: Tally,
        rejects: Rejects,
        on_progress: OnProgress,
    ) -> Iterator[Piece]:
        stem = file.path.name.split(".")[0]
        label = f"{file.path.name} " if len(self._files) > 1 else ""
        for piece in file.rows(tally, on_progress):
            good, kinds = rows.take(
                stem, label, file.header, piece,
                lambda batch, places, reasons: rejects.add(
                    stem, file.header, batch, places, reasons
                ),
            )  # fmt: skip
            if good.num_rows:
                vehicles.see(self._mapping.table, good, kinds)
                yield self._mapping.table, good
        fresh = vehicles.fresh()
        if fresh.num_rows:
            yield "vehicles", fresh

    def _opened(self, paths: list[Path], *, several: bool) -> list[RowFile]:
        """All files that can be read; of a folder the others are told of."""
        files: list[RowFile] = []
        for path in paths:
            try:
                files.append(
                    open_rows(path, encoding=self._wishes.encoding, sheet=self._wishes.sheet)
                )
            except SourceUnreadable as trouble:
                if not several:
                    raise
                self._notes.append(f"Not read: {trouble}")
        if not files:
            raise SourceUnreadable(
                f"No file of {self.name} can be read", found=" ".join(self._notes)
            )
        return files

    def _fitting(self, files: list[RowFile]) -> list[RowFile]:
        """Those with the columns of the mapping; SourceUnreadable when there is none."""
        needed = {c.name for c in TABLES[self._mapping.table].columns if not c.nullable}
        wanted = {
            rule.column for rule in self._mapping.rules
            if rule.column != FILE_NAME and (rule.target in needed or len(files) == 1)
        }  # fmt: skip
        fitting = []
        for file in files:
            lacking = sorted(wanted - set(file.header))
            if not lacking:
                fitting.append(file)
            else:
                told = f"{file.path.name} has no column {', '.join(lacking)}"
                self._notes.append(f"Not read: {told}.")
        if not fitting:
            raise SourceUnreadable(
                f"{self.name} does not have the columns of its mapping",
                found=" ".join(self._notes),
                fix="Correct the mapping, or let it be guessed anew with --option confirm=yes",
            )
        for file in fitting:
            if isinstance(file, CsvFile) and file.encoding != "utf-8":
                self._notes.append(f"{file.path.name} was read as {file.encoding}.")
        return fitting

    def _is_known(self, path: Path) -> bool:
        return self._before.get(path.name) == self._mark(path)

    def _mark(self, path: Path) -> str:
        about = path.stat()
        return f"{about.st_size} {about.st_mtime_ns} {fingerprint(self._mapping)}"

    def _centre(self) -> Place | None:
        """The city's middle: as told, or where most of the rows are."""
        if self._wishes.centre or self._wishes.far_km <= 0 or not self._unread:
            return self._wishes.centre
        rules = {rule.target: rule for rule in self._mapping.rules}
        sample = self._sample()
        for prefix in prefixes(TABLES[self._mapping.table]):
            both = rules.get(f"{prefix}position")
            if both:
                lat, lon = read_positions(trimmed(sample.texts[both.column]), both.form)
                return densest(floats(lat.values), floats(lon.values))
            if f"{prefix}lat" in rules and f"{prefix}lon" in rules:
                values = [
                    floats(
                        read_values(
                            sample.texts[rules[name].column],
                            target_columns(TABLES[self._mapping.table])[name],
                            rules[name].form, _UTC, self._mapping.decimal,
                        ).values
                    )
                    for name in (f"{prefix}lat", f"{prefix}lon")
                ]  # fmt: skip
                return densest(values[0], values[1])
        return None

    def _sentences(self, limits: Limits) -> Iterator[str]:
        known = len(self._files) - len(self._unread)
        if known:
            yield f"{known} files are those of an earlier import and were not read again."
        if limits.centre and not self._wishes.centre:
            yield (
                f"The city's middle is taken as {limits.centre[0]}, {limits.centre[1]}; another "
                "is given with --option centre=LAT,LON, another distance with far-km."
            )


def _share(on_progress: OnProgress | None, turn: int, turns: int) -> OnProgress:
    def tell(done: float) -> None:
        if on_progress:
            on_progress((turn + done) / turns)

    return tell
