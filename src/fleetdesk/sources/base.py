"""The port: a source yields canonical tables piece by piece and accounts for every row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from fleetdesk.model.quality import DroppedRows, QualityReport
from fleetdesk.model.tables import Table

OnProgress = Callable[[float], None]
EXAMPLES = 5


@dataclass(frozen=True)
class Surroundings:
    """What a source may know of the workspace that it is read for.

    `now` is UTC-aware; `watermark` is that of the last `Checkpoint` that was kept of the same
    source, empty at first; `tables` are the store's canonical Ibis tables; `folder` is where raw
    answers may be kept; `options` are the planner's, by name; `secret` reveals one by its name;
    `timezone` is the city's, an IANA name, empty where it is not known. Rows are given with riders'
    own ids, which are replaced at the door; what else a source writes of a rider, such as rows that
    it put aside, goes through `pseudonym` first.
    """

    now: datetime
    watermark: Mapping[str, str]
    tables: Mapping[str, Any]
    folder: Path
    options: Mapping[str, str]
    secret: Callable[[str], str | None]
    timezone: str = ""
    pseudonym: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All rows given so far are whole up to this watermark: an import may be kept up to here."""

    watermark: Mapping[str, str]


Piece = tuple[str, pa.Table] | Checkpoint


class Source(Protocol):
    """Somewhere records come from."""

    @property
    def name(self) -> str:
        """What the planner calls it, such as the file's name."""

    def read(self, on_progress: OnProgress | None = None) -> Iterator[Piece]:
        """Yield (table name, rows) in the canonical columns; progress goes from 0 to 1.

        A source that can go on where it stopped yields a Checkpoint now and then and at its end.
        SourceUnreadable when nothing can be made of the source; single bad rows are dropped.
        """

    def report(self) -> QualityReport:
        """What became of the rows; only after `read` has come to its end."""


def schema_of(table: Table) -> pa.Schema:
    """The Arrow schema in which a source gives a canonical table."""
    return pa.schema(
        [
            pa.field(column.name, pa.type_for_alias(column.dtype.arrow), column.nullable)
            for column in table.columns
        ]
    )


@dataclass
class Tally:
    """Counts rows while a source is read; the first few of each reason are kept as examples."""

    rows_in: int = 0
    _dropped: dict[str, int] = field(default_factory=dict)
    _examples: dict[str, list[str]] = field(default_factory=dict)

    def drop(self, reason: str, rows: int, examples: Iterator[str]) -> None:
        """Count `rows` as dropped; no more examples are taken than are shown."""
        self._dropped[reason] = self._dropped.get(reason, 0) + rows
        shown = self._examples.setdefault(reason, [])
        while len(shown) < EXAMPLES:
            example = next(examples, None)
            if example is None:
                break
            shown.append(example)

    @property
    def rows_dropped(self) -> int:
        """All rows dropped so far."""
        return sum(self._dropped.values())

    def dropped(self) -> tuple[DroppedRows, ...]:
        """By reason, the most frequent first."""
        return tuple(
            DroppedRows(reason, rows, tuple(self._examples[reason]))
            for reason, rows in sorted(self._dropped.items(), key=lambda item: (-item[1], item[0]))
        )

    def report(
        self, source: str, *, notes: tuple[str, ...], facts: Mapping[str, float]
    ) -> QualityReport:
        """The account of the whole source."""
        return QualityReport(
            source=source,
            rows_in=self.rows_in,
            rows_kept=self.rows_in - self.rows_dropped,
            dropped=self.dropped(),
            notes=notes,
            facts=facts,
        )
