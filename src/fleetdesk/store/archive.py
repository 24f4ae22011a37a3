"""What of a store's folder belongs into a backup, as it was at one moment."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from fleetdesk.store import generations, migrations, state
from fleetdesk.store.duckdb_store import DuckDbStore
from fleetdesk.store.files import replace_text


def copy_ledger(store: DuckDbStore, folder: Path) -> None:
    """Write the ledger, the version and the pointer to the store's generation into `folder`.

    Others may read and write meanwhile: SQLite copies one consistent state.
    """
    with (
        closing(state.connect(store.folder / migrations.STATE_FILE)) as ledger,
        closing(sqlite3.connect(folder / migrations.STATE_FILE)) as copy,
    ):
        ledger.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing in a log beside it
    generations.switch(folder, store.generation)
    replace_text(
        folder / migrations.VERSION_FILE,
        (store.folder / migrations.VERSION_FILE).read_text(encoding="utf-8"),
    )


def generation_files(store: DuckDbStore) -> list[Path]:
    """The files of the generation that the store holds, which nobody changes or takes away."""
    folder = generations.folder_of(store.folder, store.generation)
    manifest = generations.read_manifest(folder)
    parts = [folder / part.file for days in manifest.parts.values() for part in days.values()]
    return [folder / generations.MANIFEST, *parts]
