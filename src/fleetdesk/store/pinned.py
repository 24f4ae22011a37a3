"""What every store does alike: read one generation, write one at a time, keep the ledgers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from fleetdesk.errors import StoreUnusable
from fleetdesk.model.quality import QualityReport
from fleetdesk.store.base import ImportRecord, Visit
from fleetdesk.store.ledger import Database, ImportLedger
from fleetdesk.store.runs import Lock, Results, RunLedger
from fleetdesk.store.views import Views


class PinnedStore(ABC):
    """A store, pinned to one generation; where rows and ledgers lie is its own."""

    def __init__(
        self,
        database: Database,
        *,
        writer_lock: Lock,
        run_lock: Lock,
        results: Results,
        clock: Callable[[], datetime],
    ) -> None:
        self._clock = clock
        self._writer_lock = writer_lock
        self._views: Views | None = None
        self._imports = ImportLedger(database)
        self.runs = RunLedger(database, run_lock, results)

    @property
    @abstractmethod
    def generation(self) -> str:
        """The generation this store reads: the current one at opening, or one it wrote since."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything; the store cannot be used after."""

    @abstractmethod
    def _open_views(self) -> Views:
        """The tables of the generation it is pinned to."""

    @abstractmethod
    def _turn_to_current(self) -> None:
        """Pin the newest generation instead."""

    @abstractmethod
    def _collect(self, *, dry_run: bool = False) -> list[str]:
        """Remove older generations that nobody reads; returns what was, or would be, removed."""

    def tables(self) -> Mapping[str, Any]:
        """Each canonical table as an Ibis table; one without data is empty and typed."""
        if self._views is None:
            self._views = self._open_views()
        return self._views

    @contextmanager
    def importing(self, source: str) -> Iterator[None]:
        """Hold the one writer's place over several generations; turns to the newest one first.

        StoreUnusable while another process is writing, on whichever computer.
        """
        with self._writing(source):
            self._turn_to_current()
            yield

    def imports(self) -> list[ImportRecord]:
        """What was imported, the oldest first."""
        return self._imports.imports(self.generation)

    def last_import(self) -> ImportRecord | None:
        """The latest of them, without reading the others."""
        return self._imports.last(self.generation)

    def visits(self) -> list[Visit]:
        """The latest look at each source, by origin, as this generation knows it."""
        return self._imports.visits(self.generation)

    def visited(
        self, origin: str, watermark: Mapping[str, str], report: QualityReport | None
    ) -> None:
        """Note a look at a source that ended without further rows.

        An import of this origin that made the present generation is given the account it lacks.
        """
        self._imports.visited(origin, self.generation, self._clock(), watermark, report)

    def note(self, name: str) -> str | None:
        """A short text kept about this store as a whole; None when there is none."""
        return self._imports.note(name)

    def keep_note(self, name: str, value: str) -> None:
        """Keep or replace such a text."""
        self._imports.keep_note(name, value)

    def save_result(self, run_id: str, name: str, data: pa.Table) -> None:
        """Keep a result table of a run that is under way."""
        self.runs.save_result(run_id, name, data)

    def result(self, run_id: str, name: str) -> pa.Table:
        """A result table of a finished run."""
        return self.runs.result(run_id, name)

    def collect_garbage(self, *, dry_run: bool = False) -> list[str]:
        """Remove what crashes and older generations left; returns what was, or would be, so."""
        removed = [*self.runs.collect(dry_run=dry_run)]
        if self._writer_lock.acquire("collecting garbage"):
            try:
                removed += self._collect(dry_run=dry_run)
            finally:
                self._writer_lock.release()
        return removed

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    @contextmanager
    def _writing(self, source: str) -> Iterator[None]:
        """Be the one writer; a block inside such a block is part of it."""
        if self._writer_lock.held:
            yield
            return
        if not self._writer_lock.acquire(f"{source}, since {self._clock():%Y-%m-%d %H:%M} (UTC)"):
            raise StoreUnusable(
                "Another import is under way in this workspace",
                found=self._writer_lock.holder(),
                fix="Wait until it has finished",
                retry_helps=True,
            )
        try:
            yield
        finally:
            self._writer_lock.release()

    def _drop_views(self) -> None:
        if self._views is not None:
            self._views.close()
            self._views = None
