"""Importing MDS in tests: what came out, table by table, and the account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa

from fleetdesk.model.quality import QualityReport
from fleetdesk.model.tables import TABLES, VEHICLES, ZONES
from fleetdesk.sources.base import Checkpoint, Source, Surroundings, schema_of
from fleetdesk.sources.mds import open_mds
from fleetdesk.store.writer import latest_of_each_key

NOW = datetime(2024, 6, 1, 12, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Imported:
    """Rows as a store keeps them: sorted, the last one of each key."""

    tables: Mapping[str, pa.Table]
    report: QualityReport
    checkpoints: list[Mapping[str, str]]

    def rows(self, table: str) -> list[dict[str, Any]]:
        return self.tables[table].to_pylist() if table in self.tables else []


def around(
    *,
    known: pa.Table | None = None,
    zones: pa.Table | None = None,
    watermark: Mapping[str, str] | None = None,
    token: str | None = None,
    now: datetime = NOW,
    **options: str,
) -> Surroundings:
    vehicles = schema_of(VEHICLES).empty_table() if known is None else known
    ruled = schema_of(ZONES).empty_table() if zones is None else zones
    return Surroundings(
        now=now,
        watermark=watermark or {},
        tables={
            "vehicles": SimpleNamespace(to_pyarrow=lambda: vehicles),
            "zones": SimpleNamespace(to_pyarrow=lambda: ruled),
        },
        folder=Path(),
        options={name.replace("_", "-"): value for name, value in options.items()},
        secret=lambda name: token if name == "mds-token" else None,
    )


def imported(
    place: Path | str,
    *,
    known: pa.Table | None = None,
    zones: pa.Table | None = None,
    **options: str,
) -> Imported:
    return drained(open_mds(str(place), around(known=known, zones=zones, **options)))


def drained(source: Source) -> Imported:
    pieces: dict[str, list[pa.Table]] = {}
    checkpoints = []
    for piece in source.read():
        if isinstance(piece, Checkpoint):
            checkpoints.append(piece.watermark)
        else:
            pieces.setdefault(piece[0], []).append(piece[1])
    tables = {
        name: latest_of_each_key(TABLES[name], pa.concat_tables(found))
        for name, found in pieces.items()
    }
    return Imported(tables, source.report(), checkpoints)
