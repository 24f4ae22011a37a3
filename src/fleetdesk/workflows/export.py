"""`fleetdesk export`: a run's results as CSV files, safe to open in any spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from fleetdesk.errors import StoreUnusable
from fleetdesk.outputs.csv_export import csv_text
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultColumn, ResultSheet
from fleetdesk.workflows.context import store_of
from fleetdesk.workflows.kept_results import finished_run
from fleetdesk.workflows.run_sheets import empty_sheets


@dataclass(frozen=True)
class Exported:
    """Which run was exported, and the files that were written."""

    run_id: str
    files: tuple[Path, ...]

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        return {
            "run": self.run_id,
            "files": [str(path) for path in self.files],
            "text": "\n".join([f"Run {self.run_id}:", *(f"  {path}" for path in self.files)]),
        }


def export_run(folder: Path, run: str, to: Path) -> Exported:
    """Write the result sheets of a finished run (an id, `last` or `previous`) into folder `to`."""
    with store_of(folder) as store:
        found = finished_run(store, run)
        to.mkdir(parents=True, exist_ok=True)
        files = []
        for name in (sheet.sheet for sheet in empty_sheets(Settings())):
            try:
                result = store.result(found.run_id, name)
            except StoreUnusable:  # an older program did not draw this sheet
                continue
            path = to / f"{name}.csv"
            # The mark at the start tells Excel that the text is UTF-8.
            text = csv_text(_sheet(name, result))
            path.write_text(text, encoding="utf-8-sig", newline="")
            files.append(path)
        return Exported(found.run_id, tuple(files))


def _sheet(name: str, table: pa.Table) -> ResultSheet:
    return ResultSheet(
        sheet=name,
        title=name,
        note="",
        table_name=name,
        columns=tuple(ResultColumn(header) for header in table.column_names),
        rows=[tuple(row.values()) for row in table.to_pylist()],
    )
