"""`fleetdesk import`: bring a source's records into a workspace, with an account of every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from fleetdesk.errors import SourceUnreadable
from fleetdesk.features.sightings import facts
from fleetdesk.model.places import Point
from fleetdesk.model.quality import QualityReport
from fleetdesk.settings.schema import Thresholds
from fleetdesk.settings.starter import starter_settings
from fleetdesk.sources.base import Source
from fleetdesk.sources.canonical import CanonicalFolder
from fleetdesk.sources.gbfs_snapshots import GbfsSnapshots
from fleetdesk.store.base import Store
from fleetdesk.store.duckdb_store import open_store
from fleetdesk.workflows.context import STORE_FOLDER, WORKBOOK_NAME, Clock, utc_now
from fleetdesk.workflows.progress import OnProgress, silent
from fleetdesk.workflows.workspace import (
    NewWorkbook,
    checked_city,
    claim,
    make_workbook,
    parking_row,
)


@dataclass(frozen=True)
class ImportResult:
    """What an import did; `workbook` is the path of a workbook made for it, or None."""

    folder: Path
    report: QualityReport
    window: tuple[datetime, datetime] | None
    workbook: Path | None

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        return {
            "workspace": str(self.folder),
            "workbook": str(self.workbook) if self.workbook else None,
            "window": [moment.isoformat() for moment in self.window or ()],
            **self.report.as_dict(),
            "text": self._text(),
        }

    def _text(self) -> str:
        report = self.report
        lines = [
            f"{report.source}: {report.rows_in} rows, {report.rows_kept} kept, "
            f"{report.rows_dropped} dropped.",
            *(
                f"Dropped {entry.rows}: {entry.reason} (such as {'; '.join(entry.examples[:2])})."
                for entry in report.dropped
            ),
            *(f"{label}: {value:g}" for label, value in report.facts.items()),
            *(f"Note: {note}" for note in report.notes),
        ]
        if self.workbook:
            lines.append(f"Made {self.workbook}: enter prices, workers and parkings there.")
        lines.append(f'Next: fleetdesk run "{self.folder / WORKBOOK_NAME}"')
        return "\n".join(lines)


def import_source(
    kind: str,
    place: Path,
    folder: Path,
    new: NewWorkbook,
    *,
    clock: Clock = utc_now,
    on_progress: OnProgress = silent,
) -> ImportResult:
    """Read the source into a new generation of the workspace's store; all or nothing.

    A row that is there already is replaced, not doubled. Without a workbook one is made.
    """
    city = checked_city(new)
    claim(folder)
    with open_store(folder / STORE_FOLDER, create=True, clock=clock) as store:
        source = _source(kind, place, store, clock)
        step = f"Reading {source.name}"
        with store.new_generation(f"{kind}: {source.name}") as generation:
            for name, rows in source.read(lambda share: on_progress(step, 0.9 * share)):
                generation.append(name, rows)
            report = source.report()
            if not report.rows_kept:
                raise _nothing_kept(report)
            generation.describe(report)
        if kind == "gbfs-snapshots":
            report = replace(report, facts={**report.facts, **_feed_facts(store)})
        store.collect_garbage()
        path = folder / WORKBOOK_NAME
        made = not path.exists()
        if made:
            on_progress("Making the workbook", 0.95)
            rows = store.tables()["parkings"].to_pyarrow().to_pylist()
            starter = starter_settings(
                city.name,
                city.timezone,
                city.currency,
                centre=_centre(store),
                parkings=[parking_row(row) for row in rows],
            )
            make_workbook(path, starter)
        return ImportResult(folder, report, store.data_window(), path if made else None)


def _nothing_kept(report: QualityReport) -> SourceUnreadable:
    reasons = "; ".join(
        f"{entry.rows} rows: {entry.reason} ({', '.join(entry.examples[:2])})"
        for entry in report.dropped
    )
    return SourceUnreadable(
        f"No row of {report.source} can be used",
        found=reasons or "no rows",
        fix="Correct the file and import it again; nothing was imported",
    )


def _source(kind: str, place: Path, store: Store, clock: Clock) -> Source:
    if kind == "gbfs-snapshots":
        known = store.tables()["vehicles"].to_pyarrow()
        return GbfsSnapshots(place, now=clock(), known_vehicles=known)
    return CanonicalFolder(place)


def _feed_facts(store: Store) -> dict[str, float]:
    """What all sightings together tell, counted by the default rules of the sheet Thresholds."""
    row = facts(store.tables()["sightings"], Thresholds()).to_pyarrow().to_pylist()[0]
    return {name.replace("_", " "): value for name, value in row.items() if value is not None}


def _centre(store: Store) -> Point:
    """The middle of what was seen, as a first guess of where the vans start."""
    tables = store.tables()
    for name in ("sightings", "events"):
        table = tables[name]
        lat, lon = table.agg(lat=table.lat.median(), lon=table.lon.median()).execute().iloc[0]
        if lat == lat:  # NaN where the table is empty
            return Point(round(float(lat), 5), round(float(lon), 5))
    return Point(0.0, 0.0)
