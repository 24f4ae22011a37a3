"""`fleetdesk status`: what is in, up to when, from where, and what it takes on the disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fleetdesk.model.quality import QualityReport
from fleetdesk.store.base import REMOVAL, ImportRecord, RunState, Store, Visit
from fleetdesk.workflows.context import (
    OUTPUTS_FOLDER,
    RAW_FOLDER,
    STORE_FOLDER,
    Clock,
    store_of,
    utc_now,
)
from fleetdesk.workflows.disk import in_words, size_of
from fleetdesk.workflows.schedule import JobState, job_states
from fleetdesk.workflows.watermark_words import said


@dataclass(frozen=True)
class SourceStatus:
    """One source: its last import that brought rows, and the last look at it (UTC-aware times).

    `rows` are those that it added, one that took another's place once; vehicles, which sources add
    to their records, count only where there is nothing else.
    """

    source: str
    imported_at: datetime | None
    rows: int
    looked_at: datetime | None
    watermark: Mapping[str, str]
    report: QualityReport | None


@dataclass(frozen=True)
class Status:
    """A workspace at the moment `at`; `rows` by table, `disk` in bytes by part."""

    folder: Path
    at: datetime
    engine: str
    generation: str
    window: tuple[datetime, datetime] | None
    rows: Mapping[str, int]
    sources: Sequence[SourceStatus]
    runs: int
    last_run: str | None
    last_run_at: datetime | None
    disk: Mapping[str, int]
    jobs: Sequence[JobState]

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        return {
            "workspace": str(self.folder),
            "engine": self.engine,
            "generation": self.generation,
            "window": [moment.isoformat() for moment in self.window or ()],
            "rows": dict(self.rows),
            "sources": [
                asdict(source)
                | {
                    "age_h": _age_h(source.imported_at, self.at),
                    "report": source.report.as_dict() if source.report else None,
                }
                for source in self.sources
            ],
            "runs": self.runs,
            "last_run": self.last_run,
            "disk_bytes": dict(self.disk),
            "schedules": [job.as_dict() for job in self.jobs],
            "text": self._text(),
        }

    def _text(self) -> str:
        span = " to ".join(f"{moment:%Y-%m-%d %H:%M}" for moment in self.window or ())
        tables = ", ".join(f"{count} {name}" for name, count in self.rows.items() if count)
        lines = [
            f"Workspace  {self.folder}",
            f"Store      {self.engine}, generation {self.generation}",
            f"Records    {tables or 'none'}",
            f"From       {span + ' UTC' if span else 'no observation yet'}",
            f"Runs       {self.runs} finished"
            + (f", the last is {self.last_run}, {_ago(self.last_run_at, self.at)}"
               if self.last_run else ""),
            "Disk       " + (", ".join(f"{name} {in_words(size)}" for name, size in
                                       self.disk.items() if size) or "nothing"),
            "",
            *(line for source in self.sources for line in _told(source, self.at)),
            *([] if self.sources else ["Nothing has been imported yet."]),
        ]  # fmt: skip
        if self.jobs:
            lines += ["", *(str(job) for job in self.jobs)]
        return "\n".join(lines)


def status(folder: Path, *, clock: Clock = utc_now) -> Status:
    """Look at a workspace; nothing is changed."""
    with store_of(folder, clock=clock) as store:
        imports = store.imports()
        last = store.runs.last_published()
        latest = imports[-1].tables if imports else {}
        return Status(
            folder=folder,
            at=clock(),
            engine=store.capabilities().kind,
            generation=store.generation,
            window=store.data_window(),
            rows={name: counts.rows for name, counts in latest.items()},
            sources=_sources(imports, store.visits()),
            runs=sum(run.state is RunState.FINISHED for run in store.runs.list()),
            last_run=last.run_id if last else None,
            last_run_at=last.ended_at if last else None,
            disk=_disk(folder, store),
            jobs=job_states(folder, clock()),
        )


def _sources(imports: Sequence[ImportRecord], visits: Sequence[Visit]) -> list[SourceStatus]:
    visit_of = {visit.origin: visit for visit in visits}
    by_source: dict[str, list[ImportRecord]] = {}
    for record in imports:
        if record.source == REMOVAL:
            continue
        by_source.setdefault(record.origin or record.source, []).append(record)
    found = []
    for name in sorted({*by_source, *visit_of}):
        records, visit = by_source.get(name, []), visit_of.get(name)
        added: dict[str, int] = {}
        for record in records:
            for table, counts in record.tables.items():
                added[table] = added.get(table, 0) + counts.received - counts.replaced
        reports = [record.report for record in records if record.report]
        found.append(
            SourceStatus(
                source=name,
                imported_at=records[-1].imported_at if records else None,
                rows=sum(added.values()) - added.get("vehicles", 0) or sum(added.values()),
                looked_at=visit.visited_at if visit else None,
                watermark=visit.watermark if visit else {},
                report=visit.report if visit else (reports[-1] if reports else None),
            )
        )
    return found


def _disk(folder: Path, store: Store) -> dict[str, int]:
    inside = folder / STORE_FOLDER
    return {
        "records now": size_of(inside / "generations" / store.generation),
        "records with the past": size_of(inside / "generations"),
        "results": size_of(inside / "runs"),
        "maps": size_of(folder / OUTPUTS_FOLDER),
        "raw answers": size_of(folder / RAW_FOLDER),
        "backups": size_of(folder / "backups", inside / "backups"),
        "in all": size_of(folder),
    }


def _told(source: SourceStatus, at: datetime) -> list[str]:
    lines = [source.source, f"  {source.rows} rows added, the last {_ago(source.imported_at, at)}"]
    then = source.imported_at
    if source.looked_at and then and source.looked_at - then > timedelta(minutes=1):
        lines[-1] += f"; last looked at {_ago(source.looked_at, at)}"
    report = source.report
    if report and report.rows_dropped:
        lines.append(
            f"  {report.rows_dropped} of {report.rows_in} rows left out the last time: "
            + "; ".join(f"{entry.rows} {entry.reason}" for entry in report.dropped[:3])
        )
    if source.looked_at and report is None:
        lines.append("  stopped early; the next import goes on from there")
    if reached := said(source.source.partition(" ")[0], source.watermark):
        lines.append(f"  up to {reached}")
    return lines


def _age_h(then: datetime | None, now: datetime) -> float | None:
    return None if then is None else round((now - then) / timedelta(hours=1), 2)


def _ago(then: datetime | None, now: datetime) -> str:
    if then is None:
        return "never"
    minutes = (now - then) / timedelta(minutes=1)
    if minutes < 120:
        return f"{minutes:.0f} min ago"
    return f"{minutes / 60:.0f} h ago" if minutes < 2880 else f"{minutes / 1440:.0f} days ago"
