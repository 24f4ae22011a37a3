"""`fleetdesk run --dry-run`: what a run would change in the workbook, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetdesk.errors import Problem
from fleetdesk.sheets.base import Link, ResultSheet, Snapshot, Value
from fleetdesk.sheets.layout import key_text
from fleetdesk.workflows.catalog import answers, asked
from fleetdesk.workflows.context import Clock, open_context, utc_now
from fleetdesk.workflows.known import known
from fleetdesk.workflows.progress import OnProgress, silent
from fleetdesk.workflows.publish import changed_settings, summarise
from fleetdesk.workflows.run_sheets import run_sheets
from fleetdesk.workflows.tables_in_sheets import find_table

SHOWN = 20


@dataclass(frozen=True, slots=True)
class CellChange:
    """One cell of a result sheet: what it shows and what it would show."""

    sheet: str
    column: str
    row: str
    old: Value
    new: Value

    def __str__(self) -> str:
        """`Tasks, TH-0001 swap, Planned?: no -> Maria, stop 3`."""
        return f"{self.sheet}, {self.row}, {self.column}: {_shown(self.old)} -> {_shown(self.new)}"


@dataclass(frozen=True)
class DryRun:
    """What a run would do; nothing was written."""

    workbook: str
    headlines: tuple[str, ...]
    summary: Mapping[str, Any]
    changed: tuple[str, ...]
    cells: tuple[CellChange, ...]
    warnings: tuple[Problem, ...]
    added_settings: tuple[str, ...] = ()

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        return {
            "workbook": self.workbook,
            **self.summary,
            "changed": list(self.changed),
            "added_settings": list(self.added_settings),
            "cells": [str(cell) for cell in self.cells],
            "warnings": [str(warning) for warning in self.warnings],
            "text": self._text(),
        }

    def _text(self) -> str:
        more = len(self.cells) - SHOWN
        lines = [
            "A run would do this; nothing was written.",
            *self.headlines,
            *(f"Changed since the last run: {change}" for change in self.changed),
            *(f"Note: {warning}" for warning in self.warnings),
            f"{len(self.cells)} cells would change.",
            *(f"  {cell}" for cell in self.cells[:SHOWN]),
        ]
        return "\n".join([*lines, f"  and {more} more (--json lists all)"] if more > 0 else lines)


def dry_run(
    address: str | Path,
    *,
    only: Sequence[str] = (),
    folder: Path | None = None,
    clock: Clock = utc_now,
    on_progress: OnProgress = silent,
) -> DryRun:
    """Answer as a run would and compare with what the workbook shows; writes nothing."""
    with open_context(str(address), folder, clock, writing=False) as context:
        analyses = [known for known in asked(context.settings, only) if not known.action]
        record = known(context.store, context.settings)
        found = answers(context, record, analyses, on_progress)
        notes = [note for answer in found for note in answer.notes]
        sheets = (
            *(sheet for answer in found for sheet in answer.sheets),
            *run_sheets(context, notes, record.findings),
        )
        return DryRun(
            workbook=context.address,
            headlines=tuple(answer.headline for answer in found),
            summary=summarise(context, analyses, found),
            changed=changed_settings(context),
            cells=tuple(change for sheet in sheets for change in _changes(context.snapshot, sheet)),
            warnings=(*context.reading.warnings, *notes),
            added_settings=context.migration.added,
        )


def _changes(snapshot: Snapshot, sheet: ResultSheet) -> Iterator[CellChange]:
    """Rows are matched by the sheet's key, or by their place where it has none."""
    headers = [column.header for column in sheet.columns]
    old = _keyed(find_table(snapshot, sheet), sheet)
    new = _keyed(sheet.rows, sheet)
    for name in [*new, *(name for name in old if name not in new)]:
        if name not in new:
            yield CellChange(sheet.sheet, "whole row", name, "there", "gone")
        elif name not in old:
            yield CellChange(sheet.sheet, "whole row", name, "not there", "new")
        else:
            for header, before, after in zip(headers, old[name], new[name], strict=True):
                if not _same(before, after):
                    yield CellChange(sheet.sheet, header, name, before, after)


def _keyed(rows: Any, sheet: ResultSheet) -> dict[str, tuple[Value, ...]]:
    headers = [column.header for column in sheet.columns]
    if sheet.key is None:
        return {f"row {number}": row for number, row in enumerate(rows, start=1)}
    at = headers.index(sheet.key)
    return {key_text(row[at]): row for row in rows}


def _same(old: Value, new: Value) -> bool:
    old, new = (value.text if isinstance(value, Link) else value for value in (old, new))
    if isinstance(old, int | float) and isinstance(new, int | float):
        return abs(old - new) <= 1e-9 * max(1.0, abs(new))
    return (old or None) == (new or None)


def _shown(value: Value) -> str:
    value = value.text if isinstance(value, Link) else value
    if value is None or value == "":
        return "empty"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
