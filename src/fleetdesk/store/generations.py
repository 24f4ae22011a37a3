"""Generations on the disk: their folders, manifests, the CURRENT pointer and what is left over."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from fleetdesk.errors import StoreUnusable
from fleetdesk.model.quality import QualityReport
from fleetdesk.store.base import ImportRecord, TableCounts
from fleetdesk.store.files import flush_folder, replace_text, sha256_of
from fleetdesk.store.locks import Pin, is_pinned

CURRENT = "CURRENT"
MANIFEST = "manifest.json"
UNFINISHED = ".tmp"
WHOLE = "all"
KEPT_BEHIND_CURRENT = 2


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file: a table's rows of one day (or all of them), and how to recognise it."""

    file: str
    rows: int
    size: int
    sha256: str
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True)
class Manifest:
    """What a generation holds and where it came from; `parts[table][day]`."""

    schema_version: int
    generation: str
    based_on: str
    record: ImportRecord
    parts: Mapping[str, Mapping[str, Part]] = field(default_factory=dict)

    def window(self, table: str) -> tuple[datetime, datetime] | None:
        """First and last time of a table, naive UTC as stored."""
        parts = self.parts.get(table, {}).values()
        firsts = [part.first_at for part in parts if part.first_at is not None]
        lasts = [part.last_at for part in parts if part.last_at is not None]
        return (min(firsts), max(lasts)) if firsts and lasts else None


def folder_of(store: Path, generation: str) -> Path:
    """Where a generation is kept."""
    return store / "generations" / generation


def switch(store: Path, generation: str) -> None:
    """Make a finished generation the current one, in one step."""
    replace_text(store / CURRENT, generation + "\n")


def open_current(store: Path) -> tuple[Manifest, Pin]:
    """The current generation, held so that nobody collects it, and looked over for damage.

    StoreUnusable names the file that is missing or of the wrong size.
    """
    for _ in range(20):
        generation = _current(store)
        try:
            return _open(folder_of(store, generation))
        except StoreUnusable:
            if _current(store) == generation:
                raise
            # Otherwise it was switched and collected while we looked: look again.
    raise StoreUnusable(
        "The store is being rewritten faster than it can be opened", retry_helps=True
    )


def verify(store: Path, manifest: Manifest) -> None:
    """Compare every file with its checksum; StoreUnusable names the first that differs."""
    folder = folder_of(store, manifest.generation)
    _look_over(folder, manifest)
    for days in manifest.parts.values():
        for part in days.values():
            if sha256_of(folder / part.file) != part.sha256:
                raise _damaged(folder / part.file, "has other content than was written")


def next_name(store: Path) -> str:
    """A name later than every generation there is, finished or not."""
    taken = [path.name.removesuffix(UNFINISHED) for path in (store / "generations").iterdir()]
    return f"{max((int(name) for name in taken if name.isdecimal()), default=-1) + 1:06d}"


def behind_current(store: Path) -> list[str]:
    """The finished generations before the current one, by name."""
    current = _current(store)
    names = (path.name for path in (store / "generations").iterdir())
    return sorted(name for name in names if name.isdecimal() and name < current)


def collect(store: Path, *, dry_run: bool = False, behind: int = KEPT_BEHIND_CURRENT) -> list[str]:
    """Remove unfinished generations and old ones that nobody reads; the writer's lock is held.

    The current generation and some behind it stay.
    """
    root = store / "generations"
    current = _current(store)
    kept = behind_current(store)[max(0, len(behind_current(store)) - behind) :]
    removed = []
    for path in sorted(root.iterdir()):
        if path.name in (current, *kept) or is_pinned(path / MANIFEST):
            continue
        removed.append(f"generations/{path.name}")
        if dry_run:
            continue
        # A reader looks for the manifest first: without it the folder is nobody's.
        (path / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(path, ignore_errors=True)
    return removed


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a generation's manifest and wait until it is on the disk."""
    values = {
        "schema_version": manifest.schema_version,
        "generation": manifest.generation,
        "based_on": manifest.based_on,
        **record_as_dict(manifest.record),
        "parts": {
            table: {day: _part_as_dict(part) for day, part in sorted(days.items())}
            for table, days in sorted(manifest.parts.items())
        },
    }
    replace_text(folder / MANIFEST, json.dumps(values, indent=1) + "\n")
    flush_folder(folder)


def read_manifest(folder: Path) -> Manifest:
    """Read a generation's manifest; StoreUnusable when it is not one."""
    path = folder / MANIFEST
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Manifest(
            schema_version=values["schema_version"],
            generation=values["generation"],
            based_on=values["based_on"],
            record=record_from_dict(values),
            parts={
                table: {day: _part_from_dict(part) for day, part in days.items()}
                for table, days in values["parts"].items()
            },
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as trouble:
        raise _damaged(path, f"cannot be read ({trouble})") from trouble


def record_as_dict(record: ImportRecord) -> dict[str, Any]:
    """An import as plain values for JSON."""
    return {
        "imported_at": record.imported_at.isoformat(),
        "source": record.source,
        "note": record.note,
        "tables": {name: asdict(counts) for name, counts in sorted(record.tables.items())},
        "report": record.report.as_dict() if record.report else None,
        "origin": record.origin,
    }


def record_from_dict(values: Mapping[str, Any]) -> ImportRecord:
    """Read back what `record_as_dict` wrote, with the generation's name beside it."""
    return ImportRecord(
        generation=values["generation"],
        imported_at=datetime.fromisoformat(values["imported_at"]),
        source=values["source"],
        note=values["note"],
        tables={name: TableCounts(**counts) for name, counts in values["tables"].items()},
        report=QualityReport.from_dict(values["report"]) if values["report"] else None,
        origin=values.get("origin", ""),  # stores of version 1 did not keep it
    )


def files_of(store: Path, manifest: Manifest, table: str) -> Sequence[Path]:
    """A table's Parquet files in the order of days."""
    folder = folder_of(store, manifest.generation)
    return [folder / part.file for _, part in sorted(manifest.parts.get(table, {}).items())]


def _open(folder: Path) -> tuple[Manifest, Pin]:
    try:
        pin = Pin(folder / MANIFEST)
    except FileNotFoundError:
        raise _damaged(folder / MANIFEST, "is missing") from None
    try:
        manifest = read_manifest(folder)
        _look_over(folder, manifest)
    except BaseException:
        pin.release()
        raise
    return manifest, pin


def _look_over(folder: Path, manifest: Manifest) -> None:
    for days in manifest.parts.values():
        for part in days.values():
            try:
                size = (folder / part.file).stat().st_size
            except OSError:
                raise _damaged(folder / part.file, "is missing") from None
            if size != part.size:
                raise _damaged(folder / part.file, f"has {size} bytes instead of {part.size}")


def _current(store: Path) -> str:
    path = store / CURRENT
    try:
        name = path.read_text(encoding="utf-8").strip()
    except OSError:
        raise _damaged(path, "is missing") from None
    if not name.isdecimal():
        raise _damaged(path, f"says {name[:40]!r}")
    return name


def _damaged(path: Path, what: str) -> StoreUnusable:
    return StoreUnusable(
        "The workspace's store is damaged",
        found=f"the file {path} {what}",
        fix="Restore it from a backup, or import the data into a new workspace",
    )


def _part_as_dict(part: Part) -> dict[str, Any]:
    return asdict(part) | {
        "first_at": part.first_at.isoformat() if part.first_at else None,
        "last_at": part.last_at.isoformat() if part.last_at else None,
    }


def _part_from_dict(values: Mapping[str, Any]) -> Part:
    first, last = values["first_at"], values["last_at"]
    return Part(
        file=values["file"],
        rows=values["rows"],
        size=values["size"],
        sha256=values["sha256"],
        first_at=datetime.fromisoformat(first) if first else None,
        last_at=datetime.fromisoformat(last) if last else None,
    )
