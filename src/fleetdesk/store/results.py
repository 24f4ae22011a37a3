"""Result tables of runs, as one Parquet file each in the run's folder."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fleetdesk.store.files import disk_trouble, flush, flush_folder


class ResultFolder:
    """The folder `runs/<run id>/` of a workspace's store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, run_id: str, name: str, data: pa.Table) -> None:
        """Keep a table; one that is there under this name gives way."""
        folder = self._folder / run_id
        with disk_trouble("keeping a result", folder):
            folder.mkdir(parents=True, exist_ok=True)
            aside = folder / f"{name}.tmp"
            pq.write_table(data, aside, compression="zstd")
            flush(aside)
            aside.replace(folder / f"{name}.parquet")
            flush_folder(folder)

    def load(self, run_id: str, name: str) -> pa.Table | None:
        """The table, or None when there is none."""
        path = self._folder / run_id / f"{name}.parquet"
        return pq.read_table(path) if path.is_file() else None

    def remove(self, run_id: str) -> None:
        """Remove all tables of a run."""
        shutil.rmtree(self._folder / run_id, ignore_errors=True)

    def runs(self) -> Sequence[str]:
        """The runs that have tables."""
        return sorted(path.name for path in self._folder.iterdir())
