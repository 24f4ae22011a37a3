"""Rows that the workspace holds and a database's table no longer does, by their keys."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from fleetdesk.model.csv_guard import guarded
from fleetdesk.model.tables import TABLES
from fleetdesk.sources.base import EXAMPLES
from fleetdesk.sources.mapped_keys import SeenKeys
from fleetdesk.sources.mapping import ColumnMapping
from fleetdesk.sources.mapping_file import as_csv
from fleetdesk.sources.mapping_forms import read_values

MOST = 100_000
_BATCH_ROWS = 100_000


@dataclass(frozen=True)
class Gone:
    """How many there are, and a few of their keys."""

    rows: int
    examples: tuple[str, ...]


def can_tell(mapping: ColumnMapping) -> bool:
    """Whether each part of the canonical key is one column of the table."""
    targets = [rule.target for rule in mapping.rules]
    return all(targets.count(name) == 1 for name in TABLES[mapping.table].key)


def gone(
    mapping: ColumnMapping,
    table: Any,
    pages: Iterable[Mapping[str, pa.Array]],
    pseudonym: Callable[[str], str],
    path: Path,
) -> Gone:
    """Compare the store's Ibis `table` with the whole source, `pages` of texts by column.

    The keys of rows that are gone are written to `path`, which is removed where there are none.
    """
    seen = SeenKeys()
    for texts in pages:
        seen.again(_keys(mapping, texts, pseudonym))
    names = list(TABLES[mapping.table].key)
    count, shown = 0, list[str]()
    lost: list[list[str]] = []
    for batch in table.select(*names).to_pyarrow_batches(chunk_size=_BATCH_ROWS):
        columns = [batch.column(name) for name in names]
        places = np.flatnonzero(~seen.again(columns))
        count += len(places)
        for place in places[: MOST - len(lost)]:
            lost.append([str(column[int(place)]) for column in columns])
    shown = [" ".join(key) for key in lost[:EXAMPLES]]
    if lost:
        _write(path, names, lost)
    else:
        path.unlink(missing_ok=True)
    return Gone(count, tuple(shown))


def path_of(folder: Path, source: str) -> Path:
    """`gone from shop.rides.csv`."""
    return folder / f"gone from {as_csv(source)}"


def _keys(
    mapping: ColumnMapping, texts: Mapping[str, pa.Array], pseudonym: Callable[[str], str]
) -> list[pa.Array]:
    table = TABLES[mapping.table]
    kinds = {column.name: column for column in table.columns}
    zone = ZoneInfo(mapping.timezone)
    keys = []
    for name in table.key:
        rule = next(rule for rule in mapping.rules if rule.target == name)
        values = read_values(texts[rule.column], kinds[name], rule.form, zone).values
        if name == "rider_id":
            told = [None if text is None else pseudonym(text) for text in values.to_pylist()]
            values = pa.array(told, pa.string())
        keys.append(values)
    return keys


def _write(path: Path, names: list[str], rows: list[list[str]]) -> None:
    draft = path.with_name(f".{path.name}.tmp")
    with draft.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(names)
        writer.writerows([guarded(cell) for cell in row] for row in rows)
    draft.replace(path)
