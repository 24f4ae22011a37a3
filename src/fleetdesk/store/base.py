"""The port: generations of canonical tables, what was imported, what was run.

A store shows one generation at a time. A new one is written beside it and becomes current in one
step, so that a reader, a crash or a full disk never meets half of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import pyarrow as pa

from fleetdesk.model.quality import QualityReport


@dataclass(frozen=True, slots=True)
class Gap:
    """What a kind of store does not do: `lasting` when it cannot, else nobody has built it yet."""

    name: str
    lasting: bool
    reason: str


@dataclass(frozen=True, slots=True)
class StoreCapabilities:
    """What this kind of store can do, and each thing that it does not."""

    kind: str
    several_machines: bool
    larger_than_memory: bool
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class TableCounts:
    """Rows of one table: in the generation now, received by this import, replaced by it."""

    rows: int
    received: int
    replaced: int


@dataclass(frozen=True)
class ImportRecord:
    """One generation's origin; `report` is the source's own account of its rows, if it gave one.

    `origin` names the source in the same way at each import; "" where rows were made, not imported.
    """

    generation: str
    imported_at: datetime
    source: str
    note: str
    tables: Mapping[str, TableCounts]
    report: QualityReport | None
    origin: str = ""


@dataclass(frozen=True)
class Visit:
    """The latest look at a source: up to which watermark it is in, and what came of that look.

    `report` is None for an import that was stopped on its way.
    """

    origin: str
    visited_at: datetime
    generation: str
    watermark: Mapping[str, str]
    report: QualityReport | None


class RunState(StrEnum):
    """Where a run stands; only a finished run's results can be seen."""

    RUNNING = "running"
    PUBLISHING = "publishing"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    DISCARDED = "discarded"
    UNDONE = "undone"


@dataclass(frozen=True)
class RunRecord:
    """One run: what it worked from, how it ended, and the address of the workbook it wrote.

    `settings_flat` maps `Sheet: row: label` texts to values, so that two runs can be compared;
    `data_window` is the first and last moment of the data it saw (UTC-aware).
    """

    run_id: str
    state: RunState
    started_at: datetime
    ended_at: datetime | None
    pid: int
    seed: int
    code_version: str
    generation: str
    data_window: tuple[datetime, datetime] | None
    settings_json: str
    settings_flat: Mapping[str, Any] = field(default_factory=dict)
    workbook: str = ""
    before_sha: str = ""
    after_sha: str = ""
    summary: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of a run that had not ended: the state it was in, the one it is in, and why."""

    run_id: str
    was: RunState
    now: RunState
    reason: str


REMOVAL = "removal of rows"
"""The source under which the ledger enters a generation that only lacks rows."""


@dataclass(frozen=True, slots=True)
class Removed:
    """Rows that were removed for good, by table; `still_read` are generations that hold them yet.

    These are read by somebody, and go when they are collected.
    """

    rows: Mapping[str, int]
    still_read: Sequence[str] = ()


class Generation(Protocol):
    """A generation being written; it exists for nobody until its `with` block ends well."""

    @property
    def name(self) -> str:
        """The name it will have."""

    def append(self, table: str, data: pa.Table | pa.RecordBatch) -> None:
        """Add rows of a canonical table; a later row replaces an earlier one of the same key."""

    def describe(self, report: QualityReport | None, note: str = "") -> None:
        """Attach the source's account, and a remark, to this generation."""

    def reached(self, origin: str, watermark: Mapping[str, str]) -> None:
        """With this generation the source `origin` is in up to `watermark`: both, or neither."""


class Runs(Protocol):
    """The ledger of runs."""

    def lock(self, since: datetime) -> AbstractContextManager[None]:
        """Hold the workspace's one run lock; StoreUnusable while another run holds it."""

    def begin(
        self,
        run_id: str,
        *,
        started_at: datetime,
        settings_json: str,
        settings_flat: Mapping[str, Any],
        seed: int,
        code_version: str,
        generation: str,
        data_window: tuple[datetime, datetime] | None,
    ) -> None:
        """Enter a run as running."""

    def publishing(
        self,
        run_id: str,
        *,
        workbook: str,
        before_sha: str,
        after_sha: str,
        summary: Mapping[str, Any],
    ) -> None:
        """Say which workbook is about to be switched; from here a crash can be resolved."""

    def finish(self, run_id: str, *, ended_at: datetime) -> None:
        """Close a run that is publishing and show its results."""

    def failed(self, run_id: str, *, ended_at: datetime, reason: str) -> None:
        """Close a run that went wrong and remove its results."""

    def undone(self, run_id: str, *, ended_at: datetime) -> None:
        """Mark a finished run whose workbook has been put back as it was before."""

    def recover(
        self, fingerprint_of: Callable[[str], str | None], *, at: datetime
    ) -> Sequence[Recovered]:
        """Settle what a crash left open; needs the run lock, which it takes for itself if free."""

    def last_published(self, workbook: str | None = None) -> RunRecord | None:
        """The latest finished run, of one workbook when it is named."""

    def list(self) -> Sequence[RunRecord]:
        """All runs, the oldest first."""

    def drop_results(self, run_id: str) -> bool:
        """Remove the result tables of a run that has ended; its entry stays. False: none left."""


class Store(Protocol):
    """Where a workspace's data and ledger are kept."""

    def capabilities(self) -> StoreCapabilities:
        """What this kind of store can do."""

    @property
    def generation(self) -> str:
        """The generation this store reads: the current one at opening, or one it wrote since."""

    @property
    def runs(self) -> Runs:
        """The ledger of runs."""

    def tables(self) -> Mapping[str, Any]:
        """Each canonical table as an Ibis table; one without data is empty and typed."""

    def data_window(self) -> tuple[datetime, datetime] | None:
        """First and last observation (UTC-aware); None when there is none."""

    def importing(self, source: str) -> AbstractContextManager[None]:
        """Hold the one writer's place over several generations; turns to the newest one first.

        StoreUnusable while another process is writing.
        """

    def new_generation(
        self, source: str, *, keep: bool = True
    ) -> AbstractContextManager[Generation]:
        """Write a generation; with `keep` it adds to the current one, else it starts afresh."""

    def imports(self) -> Sequence[ImportRecord]:
        """What was imported, the oldest first."""

    def last_import(self) -> ImportRecord | None:
        """The latest of them, without reading the others."""

    def visits(self) -> Sequence[Visit]:
        """The latest look at each source, by origin, as this generation knows it."""

    def visited(
        self, origin: str, watermark: Mapping[str, str], report: QualityReport | None
    ) -> None:
        """Note a look at a source that ended without further rows.

        An import of this origin that made the present generation is given the account it lacks.
        """

    def note(self, name: str) -> str | None:
        """A short text kept about this store as a whole; None when there is none."""

    def keep_note(self, name: str, value: str) -> None:
        """Keep or replace such a text."""

    def save_result(self, run_id: str, name: str, data: pa.Table) -> None:
        """Keep a result table of a run that is under way."""

    def result(self, run_id: str, name: str) -> pa.Table:
        """A result table of a finished run."""

    def verify(self) -> None:
        """Compare every file of the generation with its checksum; StoreUnusable names the first."""

    def collect_garbage(self, *, dry_run: bool = False) -> Sequence[str]:
        """Remove what crashes and older generations left; returns what was, or would be, removed.

        The current generation, the two before it and those that somebody reads stay.
        """

    def remove_rows(self, column: str, value: str) -> Removed:
        """Remove for good all rows with this value in a column of this name, in all generations.

        Turns to a generation without them. StoreUnusable while another process is writing.
        """

    def close(self) -> None:
        """Let go of everything; the store cannot be used after."""

    def __enter__(self) -> Store:
        """Itself."""

    def __exit__(self, *raised: Any) -> None:
        """Close."""
