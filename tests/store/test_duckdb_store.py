"""What only this store does: files, links, bytes, versions, leftovers."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from fleetdesk.errors import StoreUnusable
from fleetdesk.store import duckdb_store, files, generations, migrations
from fleetdesk.store.base import ImportRecord
from fleetdesk.store.duckdb_store import DuckDbStore, open_store
from fleetdesk.store.migrations import STEPS, Step
from fleetdesk.store.state import ledger_trouble

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
NEWEST = STEPS[-1].version


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


def opened(folder: Path) -> DuckDbStore:
    return open_store(folder, create=True, clock=lambda: NOON)


def pings(rows: list[tuple[str, int]], speed: float = 1.0) -> pa.Table:
    start = datetime(2024, 5, 1)
    n = len(rows)
    return pa.table(
        {
            "vehicle_id": [vehicle for vehicle, _ in rows],
            "recorded_at": pa.array(
                [start + timedelta(hours=hour) for _, hour in rows], pa.timestamp("us")
            ),
            "lat": [40.0] * n,
            "lon": [22.0] * n,
            "speed_kmh": [speed] * n,
            "battery_pct": pa.nulls(n, pa.float64()),
            "hdop": pa.nulls(n, pa.float64()),
            "locked": pa.nulls(n, pa.bool_()),
        }
    )


def write(store: DuckDbStore, *pieces: pa.Table) -> Path:
    with store.new_generation("test") as generation:
        for piece in pieces:
            generation.append("telemetry", piece)
    return store.folder / "generations" / store.generation / "telemetry"


def test_rows_lie_under_their_utc_day(folder: Path) -> None:
    with opened(folder) as store:
        days = write(store, pings([("a", -1), ("a", 0), ("a", 23), ("a", 24), ("b", 23)]))
    assert sorted(path.name for path in days.iterdir()) == [
        "2024-04-30.parquet", "2024-05-01.parquet", "2024-05-02.parquet",
    ]  # fmt: skip


def test_the_order_and_size_of_pieces_do_not_show_in_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(f"v{vehicle}", hour) for vehicle in range(20) for hour in range(72)]
    with opened(tmp_path / "one") as store:
        expected = {path.name: path.read_bytes() for path in write(store, pings(rows)).iterdir()}
    shuffled = random.Random(3).sample(rows, len(rows))
    monkeypatch.setattr(duckdb_store, "BUFFER_BYTES", 3000)
    with opened(tmp_path / "two") as store:
        pieces = [pings(shuffled[place : place + 37]) for place in range(0, len(rows), 37)]
        found = {path.name: path.read_bytes() for path in write(store, *pieces).iterdir()}
    assert found == expected


def test_what_was_put_aside_gives_way_to_later_rows(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duckdb_store, "BUFFER_BYTES", 1)
    with opened(folder) as store:
        for speed in (1.0, 2.0):
            write(store, pings([("a", 1)], speed), pings([("a", 2)], speed), pings([("a", 1)], 9.0))
            shown = store.tables()["telemetry"].order_by("recorded_at").speed_kmh
            assert shown.to_pyarrow().to_pylist() == [9.0, speed]


def test_days_left_alone_are_the_same_file(folder: Path) -> None:
    with opened(folder) as store:
        first = write(store, pings([("a", 0), ("a", 24)]))
        second = write(store, pings([("a", 25)]))
    assert (first / "2024-05-01.parquet").samefile(second / "2024-05-01.parquet")
    assert not (first / "2024-05-02.parquet").samefile(second / "2024-05-02.parquet")


def test_without_links_files_are_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(self: Path, target: Path) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(files.Path, "hardlink_to", no_links)
    with opened(folder) as store:
        write(store, pings([("a", 0)]))
        write(store, pings([("a", 24)]))
        assert store.tables()["telemetry"].count().to_pyarrow().as_py() == 2
        store.verify()


def test_two_generations_behind_the_current_one_are_kept(folder: Path) -> None:
    with opened(folder) as store:
        for hour in range(5):
            write(store, pings([("a", hour)]))
        (folder / "generations" / "000009.tmp").mkdir()
        (folder / "runs" / "nobody").mkdir()
        assert store.collect_garbage() == ["runs/nobody", "generations/000009.tmp"]
        left = sorted(path.name for path in (folder / "generations").iterdir())
    assert left == ["000003", "000004", "000005"]


@pytest.mark.parametrize("threads", [1, 2])
def test_it_computes_on_as_many_threads_as_asked(folder: Path, threads: int) -> None:
    with open_store(folder, create=True, threads=threads) as store:
        setting = store.tables()["trips"].get_backend().raw_sql("SELECT current_setting('threads')")
        assert setting.fetchone()[0] == threads


def test_a_long_query_draws_nothing_into_what_commands_print(folder: Path) -> None:
    with open_store(folder, create=True) as store:
        drawn = "SELECT current_setting('enable_progress_bar')"
        assert not store.tables()["trips"].get_backend().raw_sql(drawn).fetchone()[0]


def test_a_folder_without_a_store_is_told(folder: Path) -> None:
    with pytest.raises(StoreUnusable, match="no FleetDesk store"):
        open_store(folder)
    folder.mkdir()
    with pytest.raises(StoreUnusable, match="Import data first"):
        open_store(folder)


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("CURRENT", None, "CURRENT is missing"),
        ("CURRENT", "../../etc", "CURRENT says"),
        ("CURRENT", "000007", "000007/manifest.json is missing"),
        ("generations/000000/manifest.json", "{", "manifest.json cannot be read"),
        ("generations/000000/manifest.json", "[]", "manifest.json cannot be read"),
        ("schema_version", "99", "newer FleetDesk"),
        ("schema_version", "one", "schema_version says 'one'"),
        ("state.sqlite", None, "ledger is missing"),
        ("state.sqlite", "nonsense" * 500, "ledger is damaged"),
    ],
)
def test_damage_is_named(folder: Path, file: str, content: str | None, said: str) -> None:
    opened(folder).close()
    path = folder / file
    if content is None:
        path.unlink()
    else:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(StoreUnusable) as refusal:
        open_store(folder)
    assert said in str(refusal.value).replace("\\", "/")


@pytest.mark.parametrize(
    "complaint", ["unable to open database file", "attempt to write a readonly database"]
)
def test_a_ledger_that_may_not_be_written_is_not_called_damaged(complaint: str) -> None:
    said = str(ledger_trouble(sqlite3.OperationalError(complaint), Path("state.sqlite")))
    assert "cannot be written to" in said and "damaged" not in said


def test_a_ledger_of_a_newer_version_is_refused(folder: Path) -> None:
    opened(folder).close()
    with closing(sqlite3.connect(folder / "state.sqlite")) as database:
        database.execute(f"PRAGMA user_version = {NEWEST + 1}")
    with pytest.raises(StoreUnusable, match="newer FleetDesk"):
        open_store(folder)


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


def test_an_older_store_is_brought_up_after_a_backup(folder: Path) -> None:
    opened(folder).close()
    tags = ("CREATE TABLE tags (tag TEXT)", "INSERT INTO tags VALUES ('x')")
    newer = (*STEPS, Step(NEWEST + 1, tags))
    backup = migrations.bring_up(folder, newer)
    assert backup == folder / "backups" / f"state-v{NEWEST}.sqlite"
    assert version_of(backup) == NEWEST and version_of(folder / "state.sqlite") == NEWEST + 1
    assert (folder / "schema_version").read_text() == f"{NEWEST + 1}\n"
    assert migrations.bring_up(folder, newer) is None


def test_a_store_of_the_first_version_keeps_its_imports(folder: Path) -> None:
    (folder / "generations" / "000000").mkdir(parents=True)
    migrations.create(folder, STEPS[:1])
    with closing(sqlite3.connect(folder / "state.sqlite", isolation_level=None)) as database:
        database.execute(
            "INSERT INTO imports VALUES ('000000', ?, 'old', '', '{}', 'null')",
            (NOON.isoformat(),),
        )
    record = ImportRecord("000000", NOON, "old", "", {}, None)
    manifest = generations.Manifest(1, "000000", "", record)
    generations.write_manifest(folder / "generations" / "000000", manifest)
    generations.switch(folder, "000000")
    migrations.mark(folder, STEPS[:1])
    with open_store(folder) as store:
        assert store.imports() == [record]
        assert store.visits() == []


def test_a_step_that_fails_changes_nothing(folder: Path) -> None:
    opened(folder).close()
    tags = ("CREATE TABLE tags (tag TEXT)", "INSERT INTO nowhere VALUES (1)")
    broken = (*STEPS, Step(NEWEST + 1, tags))
    with pytest.raises(StoreUnusable, match="nowhere"):
        migrations.bring_up(folder, broken)
    assert version_of(folder / "state.sqlite") == NEWEST
    with open_store(folder) as store:
        assert store.runs.list() == []
    with closing(sqlite3.connect(folder / "state.sqlite")) as database:
        assert not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'tags'").fetchall()


def test_a_ledger_in_use_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetdesk.store.state.WAIT_S", 0.05)
    with opened(folder) as store, closing(sqlite3.connect(folder / "state.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnusable, match="in use") as refusal:
            write(store, pings([("a", 1)]))
        assert refusal.value.retry_helps
        other.execute("ROLLBACK")
        assert store.generation == "000000"
        write(store, pings([("a", 1)]))
        assert [record.generation for record in store.imports()] == [store.generation]
