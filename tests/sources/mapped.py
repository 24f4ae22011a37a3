"""Helpers of the tests of mapped files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from fleetdesk.model.quality import QualityReport
from fleetdesk.sources.base import Checkpoint
from fleetdesk.sources.mapped_files import MappedFiles, wishes_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def opened(place: Path, folder: Path, *, trust: bool = False, **options: Any) -> MappedFiles:
    """The source as the command builds it; `vehicle_types` is the option vehicle-types."""
    given = {name.replace("_", "-"): str(value) for name, value in options.items()}
    watermark = given.pop("watermark", None)
    wishes = wishes_of(given, folder, trust=trust)
    source = MappedFiles(place, replace(wishes), now=NOW, watermark=options.get("watermark"))
    assert watermark is None or options["watermark"]
    return source


def taken(source: MappedFiles) -> tuple[dict[str, list[dict[str, Any]]], QualityReport]:
    """All rows by table, and the account of them."""
    tables: dict[str, list[pa.Table]] = {}
    for piece in source.read():
        if not isinstance(piece, Checkpoint):
            tables.setdefault(piece[0], []).append(piece[1])
    report = source.report()
    return {n: pa.concat_tables(pieces).to_pylist() for n, pieces in tables.items()}, report


def counted(report: QualityReport) -> dict[str, int]:
    """Dropped rows by reason."""
    return {entry.reason: entry.rows for entry in report.dropped}
