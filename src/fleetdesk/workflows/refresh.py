"""`fleetdesk import`: bring a source's records into a workspace, with an account of every row.

What only some imports need is loaded when they do, so that one without news is done at once.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from fleetdesk.errors import FleetDeskError, SourceUnreadable
from fleetdesk.model.places import Point
from fleetdesk.model.quality import QualityReport
from fleetdesk.settings import secrets
from fleetdesk.settings.schema import City, Thresholds
from fleetdesk.sources.base import Surroundings
from fleetdesk.store.base import Store, Visit
from fleetdesk.workflows.context import (
    RAW_FOLDER,
    STORE_FOLDER,
    WORKBOOK_NAME,
    Clock,
    city_in,
    store_of,
    utc_now,
)
from fleetdesk.workflows.door import Pseudonyms, through_the_door
from fleetdesk.workflows.import_options import kind_named, options_of, origin_of, place_of
from fleetdesk.workflows.intake import Intake
from fleetdesk.workflows.progress import OnProgress, silent
from fleetdesk.workflows.rider_key import rider_key
from fleetdesk.workflows.unchanged import LISTING, listing
from fleetdesk.workflows.where_from import Whereabouts, store_centre
from fleetdesk.workflows.workspace import (
    NewWorkbook,
    checked_city,
    claim,
    make_workbook,
    parking_row,
)


class Cancelled(FleetDeskError):
    """The planner stopped an import of which a part is kept."""

    exit_code = 130


@dataclass(frozen=True)
class ImportResult:
    """What an import did; `workbook` is the path of a workbook made for it, or None.

    Without `news` the source had no rows that are not there yet, and nothing was written. A run
    needs to know of `vehicles`; without news nobody looks.
    """

    folder: Path
    report: QualityReport
    window: tuple[datetime, datetime] | None
    workbook: Path | None
    news: bool
    notes: tuple[str, ...]
    vehicles: bool

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        account = self.report.as_dict()
        return {
            "workspace": str(self.folder),
            "workbook": str(self.workbook) if self.workbook else None,
            "window": [moment.isoformat() for moment in self.window or ()],
            "news": self.news,
            **account,
            "notes": [*account["notes"], *self.notes],
            "text": self._text(),
        }

    def _text(self) -> str:
        report = self.report
        lines = [
            *([] if self.news else [f"{report.source}: no news, the store is as it was."]),
            f"{report.source}: {report.rows_in} rows, {report.rows_kept} kept, "
            f"{report.rows_dropped} dropped.",
            *(
                f"Dropped {entry.rows}: {entry.reason}"
                + (f" (such as {'; '.join(entry.examples[:2])})." if entry.examples else ".")
                for entry in report.dropped
            ),
            *(f"{label}: {value:g}" for label, value in report.facts.items()),
            *(f"Note: {note}" for note in (*report.notes, *self.notes)),
        ]
        if self.workbook:
            lines.append(
                f"Made {self.workbook}: enter prices, parkings and your own workers there; "
                "Maria and Nikos are examples."
            )
        if not self.vehicles:
            lines.append(
                "Next: import what tells of vehicles, such as trips and events; "
                "without any a run has nothing to plan."
            )
        elif self.news:
            lines.append(f'Next: fleetdesk run "{self.folder / WORKBOOK_NAME}"')
        return "\n".join(lines)


def import_source(
    kind: str,
    place: str,
    folder: Path,
    new: NewWorkbook,
    *,
    options: Iterable[str] = (),
    again: bool = False,
    another_city: bool = False,
    clock: Clock = utc_now,
    timer: Callable[[], float] = time.monotonic,
    on_progress: OnProgress = silent,
) -> ImportResult:
    """Read what is new in the source into the workspace's store; make a workbook if there is none.

    A row that is there already is replaced, not doubled. A source that says how far it is read is
    kept up to there whatever stops the import; any other comes in whole or not at all. `options`
    are `NAME=VALUE` texts of the kind; `again` reads from the beginning what is in already.
    """
    city = checked_city(new)
    given = options_of(kind_named(kind), options)
    with _store_for_import(folder, origin_of(kind, place), clock) as store:
        imported = _Import(
            kind, place, given, folder, new, store, again, another_city, clock, timer
        )
        report, news, notes = imported.take_in(on_progress)
        if news and kind == "gbfs-snapshots":
            report = replace(report, facts={**report.facts, **_feed_facts(store)})
        on_progress("Looking after the workbook", 0.95)
        path = folder / WORKBOOK_NAME
        made = not path.exists()
        if made:
            _make_workbook(path, city, store)
        elif new.given:
            left = f"{', '.join(new.given)} left aside: the workbook is there already."
            notes = (*notes, left)
        window = store.data_window()
        vehicles = not news or _tells_of_vehicles(store)
        return ImportResult(folder, report, window, path if made else None, news, notes, vehicles)


@dataclass(frozen=True)
class _Import:
    kind: str
    place: str
    options: Mapping[str, str]
    folder: Path
    new: NewWorkbook
    store: Store
    again: bool
    another_city: bool
    clock: Clock
    timer: Callable[[], float]

    def take_in(self, on_progress: OnProgress) -> tuple[QualityReport, bool, tuple[str, ...]]:
        """The source's account, whether it brought rows, and what the planner should know."""
        origin = origin_of(self.kind, self.place)
        before = next((visit for visit in self.store.visits() if visit.origin == origin), None)
        files = listing(self.place, self.options)
        if not self.again and before and before.report and before.watermark == files:
            self.store.visited(origin, before.watermark, before.report)
            return before.report, False, (f"The files are those of {_when(before)}.",)
        with self._raw_folder() as raw:
            source = kind_named(self.kind).build(
                place_of(self.kind, self.place), self._surroundings(before, raw)
            )
            step = f"Reading {source.name}"
            where = Whereabouts(self.store)
            warnings: list[str] = []

            def agree() -> None:
                warnings[:] = filter(None, [where.check(another_city=self.another_city)])

            intake = Intake(
                self.store, origin, secrets.scrub(f"{self.kind}: {source.name}"), files or {},
                self.timer, where.see, agree,
                lambda rows: on_progress(f"{rows} rows are safe", 0.9),
            )  # fmt: skip
            pieces = source.read(lambda share: on_progress(step, 0.9 * share))
            try:
                intake.take_in(through_the_door(pieces, self._key), source.report)
            except (FleetDeskError, KeyboardInterrupt) as trouble:
                raise _with_what_is_kept(trouble, intake.rows_safe) from trouble
        report = source.report()
        self._end(intake, report)
        return report, intake.rows > 0, tuple(warnings)

    def _end(self, intake: Intake, report: QualityReport) -> None:
        """Note what came of an import whose last rows are in, or that had none."""
        latest = self.store.last_import()
        if latest is None or (not intake.rows and intake.watermark is None):
            raise _nothing_kept(report)
        if not intake.rows or latest.report is None:
            self.store.visited(intake.origin, intake.reach, report)

    def _key(self) -> bytes:
        return rider_key(self.store, self.folder / STORE_FOLDER)

    @cached_property
    def _names(self) -> Pseudonyms:
        return Pseudonyms(self._key())

    def _timezone(self) -> str:
        """The workbook's; before there is one, what the planner gave for it.

        Only where it counts, so that a workbook that cannot be read (WorkbookRefused) stops no
        import that goes without it, and lets none come in hours off.
        """
        if not self._asks_for("timezone"):
            return ""
        if (self.folder / WORKBOOK_NAME).exists():
            return city_in(self.folder / WORKBOOK_NAME).timezone
        default = NewWorkbook().timezone
        chosen = self.new.timezone != default or "--timezone" in self.new.given
        return self.new.timezone if chosen else ""

    def _options(self) -> Mapping[str, str]:
        """The planner's; the currency that amounts are told in is the city's unless given."""
        if not self._asks_for("currency"):
            return self.options
        path = self.folder / WORKBOOK_NAME
        city = city_in(path) if path.exists() else checked_city(self.new)
        return {"currency": city.currency, **self.options}

    def _asks_for(self, name: str) -> bool:
        """Whether the kind has such an option and the planner did not give it."""
        known = {option.name for option in kind_named(self.kind).options}
        return name in known - self.options.keys()

    def _surroundings(self, before: Visit | None, raw: Path) -> Surroundings:
        marks = {} if before is None or self.again else dict(before.watermark)
        marks.pop(LISTING, None)
        return Surroundings(
            now=self.clock(),
            watermark=marks,
            tables=_Current(self.store),
            folder=raw,
            options=self._options(),
            secret=secrets.reveal,
            timezone=self._timezone(),
            pseudonym=lambda rider: self._names.name_of(rider),
        )

    @contextmanager
    def _raw_folder(self) -> Iterator[Path]:
        """Where the source may keep raw answers; gone again where it kept none."""
        raw = self.folder / RAW_FOLDER
        raw.mkdir(exist_ok=True)
        try:
            yield raw
        finally:
            if not any(raw.iterdir()):
                raw.rmdir()


class _Current(Mapping[str, Any]):
    """The store's tables as they are at each look, because an import writes generations."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getitem__(self, name: str) -> Any:
        return self._store.tables()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._store.tables())

    def __len__(self) -> int:
        return len(self._store.tables())


@contextmanager
def _store_for_import(folder: Path, source: str, clock: Clock) -> Iterator[Store]:
    """The workspace's store, to be written by nobody else; one laid in vain is removed again."""
    parts = [folder / RAW_FOLDER, folder / STORE_FOLDER, folder]
    new = [path for path in parts if not path.exists()]
    claim(folder)
    try:
        with (
            store_of(folder, create=True, clock=clock) as store,
            store.importing(source),
        ):
            try:
                yield store
            except BaseException:
                if folder / STORE_FOLDER in new and store.last_import() is None:
                    store.close()  # removed while nobody else can write
                    for path in new[:-1] if folder in new else new:
                        shutil.rmtree(path, ignore_errors=True)
                raise
    finally:
        if folder in new and not any(folder.iterdir()):
            folder.rmdir()


def _with_what_is_kept(
    trouble: FleetDeskError | KeyboardInterrupt, rows: int
) -> FleetDeskError | KeyboardInterrupt:
    """The same trouble, telling of the rows that are safe."""
    if not rows:
        return trouble
    kept = f"{rows} rows are in, up to the last checkpoint; import again to go on from there"
    if isinstance(trouble, KeyboardInterrupt):
        return Cancelled("Cancelled", found=kept)
    trouble.fix = trouble.fix.replace(_NOTHING, "")
    trouble.fix = f"{trouble.fix.rstrip('.')}. {kept}" if trouble.fix else kept
    return trouble


_NOTHING = "; nothing was imported"  # as sources say, which do not know what is kept of them


def _nothing_kept(report: QualityReport) -> SourceUnreadable:
    reasons = "; ".join(
        f"{entry.rows} rows: {entry.reason} ({', '.join(entry.examples[:2])})"
        for entry in report.dropped
    )
    return SourceUnreadable(
        f"No row of {report.source} can be used",
        found=reasons or "no rows",
        fix="Correct the source and import it again; nothing was imported",
    )


def _make_workbook(path: Path, city: City, store: Store) -> None:
    from fleetdesk.settings.starter import starter_settings

    rows = store.tables()["parkings"].to_pyarrow().to_pylist()
    starter = starter_settings(
        city.name,
        city.timezone,
        city.currency,
        centre=store_centre(store) or Point(0.0, 0.0),
        parkings=[parking_row(row) for row in rows],
    )
    make_workbook(path, starter)


def _tells_of_vehicles(store: Store) -> bool:
    tables = store.tables()
    names = ("trips", "events", "sightings", "telemetry")
    return any(tables[name].limit(1).count().to_pyarrow().as_py() for name in names)


def _feed_facts(store: Store) -> dict[str, float]:
    """What all sightings together tell, counted by the default rules of the sheet Thresholds."""
    from fleetdesk.features.sightings import facts

    row = facts(store.tables()["sightings"], Thresholds()).to_pyarrow().to_pylist()[0]
    return {name.replace("_", " "): value for name, value in row.items() if value is not None}


def _when(visit: Visit) -> str:
    return f"{visit.visited_at:%Y-%m-%d %H:%M} UTC"
