"""The ledger of runs: one at a time, and after a crash each is either wholly there or gone."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa

from fleetdesk.errors import StoreUnusable
from fleetdesk.store.base import Recovered, RunRecord, RunState
from fleetdesk.store.ledger import Database, Row

_OPEN = (RunState.RUNNING, RunState.PUBLISHING)


class Lock(Protocol):
    """One holder at a time, on however many computers the store serves."""

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""

    def acquire(self, holder: str) -> bool:
        """Take the lock and tell others who has it; False when somebody else has it."""

    def release(self) -> None:
        """Let go."""

    def holder(self) -> str:
        """What the present holder told."""


class Results(Protocol):
    """Where result tables are kept."""

    def save(self, run_id: str, name: str, data: pa.Table) -> None:
        """Keep a table; one that is there under this name gives way."""

    def load(self, run_id: str, name: str) -> pa.Table | None:
        """The table, or None when there is none."""

    def remove(self, run_id: str) -> None:
        """Remove all tables of a run."""

    def runs(self) -> Sequence[str]:
        """The runs that have tables."""


class RunLedger:
    """Runs in the store's small database, their result tables beside it."""

    def __init__(self, database: Database, lock: Lock, results: Results) -> None:
        self._database = database
        self._lock = lock
        self._results = results

    @contextmanager
    def lock(self, since: datetime) -> Iterator[None]:
        """Hold the workspace's one run lock; StoreUnusable while another run holds it.

        Whoever is refused is told `since` in its own time zone.
        """
        told = f"{since:%Y-%m-%d %H:%M} ({since.tzinfo})"
        if not self._lock.acquire(f"process {os.getpid()}, since {told}"):
            raise StoreUnusable(
                "Another run is under way in this workspace",
                found=self._lock.holder() or "a run that is just starting",
                fix="Wait until it has finished",
                retry_helps=True,
            )
        try:
            yield
        finally:
            self._lock.release()

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
        """Enter a run as running; the caller holds the run lock."""
        if not self._lock.held:
            raise RuntimeError("a run begins only while its lock is held")
        flat = json.dumps(dict(settings_flat), sort_keys=True)
        sha = hashlib.sha256(f"{settings_json}\n{flat}".encode()).hexdigest()
        first, last = data_window or (None, None)
        with self._database.writing() as database:
            # Whoever begins runs holds the lock, so nobody else can enter this id meanwhile.
            if self._state_of(run_id) is not None:
                raise StoreUnusable(
                    f"There is a run {run_id} already", fix="Begin the run under another id"
                )
            database.execute(
                "INSERT INTO settings_snapshots VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (sha, settings_json, flat),
            )
            database.execute(
                "INSERT INTO runs (run_id, state, started_at, pid, seed, code_version,"
                " generation, first_at, last_at, settings_sha)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run_id, RunState.RUNNING.value, started_at.isoformat(), os.getpid(), seed,
                    code_version, generation, first and first.isoformat(),
                    last and last.isoformat(), sha,
                ),
            )  # fmt: skip

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
        self._move(
            run_id, (RunState.RUNNING,), RunState.PUBLISHING,
            workbook=workbook, before_sha=before_sha, after_sha=after_sha,
            summary=json.dumps(dict(summary), sort_keys=True),
        )  # fmt: skip

    def finish(self, run_id: str, *, ended_at: datetime) -> None:
        """Close a run that is publishing and show its results."""
        self._move(run_id, (RunState.PUBLISHING,), RunState.FINISHED, ended_at=ended_at.isoformat())

    def failed(self, run_id: str, *, ended_at: datetime, reason: str) -> None:
        """Close a run that went wrong and remove its results."""
        self._close(run_id, RunState.FAILED, ended_at, reason)

    def undone(self, run_id: str, *, ended_at: datetime) -> None:
        """Mark a finished run whose workbook has been put back as it was before."""
        self._move(
            run_id, (RunState.FINISHED,), RunState.UNDONE,
            ended_at=ended_at.isoformat(), reason="undone by the planner",
        )  # fmt: skip

    def recover(
        self, fingerprint_of: Callable[[str], str | None], *, at: datetime
    ) -> Sequence[Recovered]:
        """Settle what a crash left open; needs the run lock, which it takes for itself if free.

        A run that was publishing is finished when the workbook is the one it was to become, and
        discarded otherwise; one that was running is marked as interrupted. `fingerprint_of` gives
        None for a workbook that is gone.
        """
        with nullcontext() if self._lock.held else self.lock(at):
            # Whoever holds the lock is the only run alive, so every open entry is a dead one's.
            return [
                self._settle(run, fingerprint_of, at) for run in self.list() if run.state in _OPEN
            ]

    def last_published(self, workbook: str | None = None) -> RunRecord | None:
        """The latest finished run, of one workbook when it is named."""
        finished = [
            run for run in self.list()
            if run.state is RunState.FINISHED and workbook in (None, run.workbook)
        ]  # fmt: skip
        return finished[-1] if finished else None

    def list(self) -> Sequence[RunRecord]:
        """All runs, the oldest first."""
        rows = self._database.execute(
            "SELECT * FROM runs JOIN settings_snapshots USING (settings_sha) ORDER BY position"
        )
        return [_record(row) for row in rows]

    def save_result(self, run_id: str, name: str, data: pa.Table) -> None:
        """Keep a result table of a run that is under way."""
        if self._state_of(run_id) not in _OPEN:
            raise RuntimeError(f"run {run_id} is not under way")
        self._results.save(run_id, name, data)

    def result(self, run_id: str, name: str) -> pa.Table:
        """A result table of a finished run."""
        shown = self._state_of(run_id) is RunState.FINISHED
        table = self._results.load(run_id, name) if shown else None
        if table is None:
            raise StoreUnusable(
                f"There is no published result {name!r} of run {run_id}",
                fix="Run again and wait until the run has finished",
            )
        return table

    def drop_results(self, run_id: str) -> bool:
        """Remove the result tables of a run that has ended; its entry stays. False: none left."""
        if self._state_of(run_id) in _OPEN:
            raise RuntimeError(f"run {run_id} is under way")
        there = run_id in self._results.runs()
        self._results.remove(run_id)
        return there

    def collect(self, *, dry_run: bool = False) -> Sequence[str]:
        """Remove results of runs that did not finish and are not under way."""
        # Results first: a run that begins meanwhile has its entry before it has any.
        with_results = self._results.runs()
        shown = {run.run_id for run in self.list() if run.state in (*_OPEN, RunState.FINISHED)}
        left = [run_id for run_id in with_results if run_id not in shown]
        for run_id in left if not dry_run else ():
            self._results.remove(run_id)
        return [f"runs/{run_id}" for run_id in left]

    def _settle(
        self, run: RunRecord, fingerprint_of: Callable[[str], str | None], at: datetime
    ) -> Recovered:
        if run.state is RunState.RUNNING or not run.workbook:
            reason = f"its process ({run.pid}) ended before it wrote anything"
            now = RunState.INTERRUPTED
        else:
            present = fingerprint_of(run.workbook)
            if present == run.after_sha:
                self.finish(run.run_id, ended_at=at)
                return Recovered(
                    run.run_id, run.state, RunState.FINISHED, "the workbook had been written"
                )
            now = RunState.DISCARDED
            reason = (
                "the workbook had not been written" if present == run.before_sha
                else "the workbook is gone" if present is None
                else "the workbook has been changed by somebody else"
            )  # fmt: skip
        self._close(run.run_id, now, at, reason)
        return Recovered(run.run_id, run.state, now, reason)

    def _close(self, run_id: str, now: RunState, at: datetime, reason: str) -> None:
        self._move(run_id, _OPEN, now, ended_at=at.isoformat(), reason=reason)
        # Only after the entry is closed: a crash here leaves results for `collect`.
        self._results.remove(run_id)

    def _move(
        self, run_id: str, expected: tuple[RunState, ...], now: RunState, **columns: str
    ) -> None:
        was = self._state_of(run_id)
        if was not in expected:
            raise RuntimeError(f"run {run_id} is {was}, so it cannot become {now}")
        assignments = ", ".join(f"{column} = ?" for column in ("state", *columns))
        with self._database.writing() as database:
            database.execute(
                f"UPDATE runs SET {assignments} WHERE run_id = ?",  # noqa: S608
                (now.value, *columns.values(), run_id),
            )

    def _state_of(self, run_id: str) -> RunState | None:
        row = self._database.execute(
            "SELECT state FROM runs WHERE run_id = ?", (run_id,)
        ).fetchone()
        return RunState(row["state"]) if row else None


def _record(row: Row) -> RunRecord:
    window = None
    if row["first_at"] and row["last_at"]:
        window = (datetime.fromisoformat(row["first_at"]), datetime.fromisoformat(row["last_at"]))
    return RunRecord(
        run_id=row["run_id"],
        state=RunState(row["state"]),
        started_at=datetime.fromisoformat(row["started_at"]),
        ended_at=datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None,
        pid=row["pid"],
        seed=row["seed"],
        code_version=row["code_version"],
        generation=row["generation"],
        data_window=window,
        settings_json=row["settings_json"],
        settings_flat=json.loads(row["settings_flat"]),
        workbook=row["workbook"] or "",
        before_sha=row["before_sha"],
        after_sha=row["after_sha"],
        summary=json.loads(row["summary"]),
        reason=row["reason"],
    )
