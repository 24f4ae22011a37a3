"""What only the shared store can meet: lost lines, other computers, other versions."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest
from tests.services.postgres import PostgresServer, running_postgres

from fleetdesk.errors import SourceUnreadable, StoreUnusable
from fleetdesk.model.tables import TABLES
from fleetdesk.store import migrations
from fleetdesk.store.base import Store
from fleetdesk.store.open import open_any
from fleetdesk.store.postgres_schema import translated
from fleetdesk.store.quality import schema_of

pytest.importorskip("psycopg", reason="the extra 'shared' is not installed")

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
NOWHERE = Path("nowhere")


@pytest.fixture
def address(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    with open_any(address, NOWHERE, create=True, clock=lambda: NOON) as opened:
        yield opened


def vehicles(*ids: str, kind: str = "x1") -> pa.Table:
    n = len(ids)
    return pa.table(
        {
            "vehicle_id": list(ids),
            "vehicle_type": [kind] * n,
            "full_range_m": pa.array([None] * n, pa.float64()),
            "battery_capacity_wh": pa.array([None] * n, pa.float64()),
            "first_seen_at": pa.array([datetime(2024, 1, 1)] * n, pa.timestamp("us")),
        }
    )


def rows_of(name: str, *rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema_of(TABLES[name]))


def write(store: Store, rows: pa.Table) -> None:
    with store.new_generation("test") as generation:
        generation.append("vehicles", rows)


def ids(store: Store) -> list[str]:
    found: list[str] = store.tables()["vehicles"].vehicle_id.to_pyarrow().to_pylist()
    return sorted(found)


def query(address: str, statement: str) -> list[Any]:
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        cursor = connection.execute(statement)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []


def cut(address: str, whose: str) -> None:
    """Cut the lines of a row of the server's own tables, and wait until they are."""
    query(address, f"SELECT pg_terminate_backend(pid, 10000) FROM {whose}")


def test_a_line_cut_in_the_middle_of_an_import_leaves_nothing(address: str, store: Store) -> None:
    write(store, vehicles("a"))
    before = query(address, "SELECT count(*) FROM fleetdesk.vehicles")
    with pytest.raises(StoreUnusable, match="was lost") as refusal, store.new_generation("t") as g:
        g.append("vehicles", vehicles("b"))
        cut(address, "pg_stat_activity WHERE state = 'idle in transaction'")
        g.append("vehicles", vehicles("c"))
    assert refusal.value.retry_helps
    assert ids(store) == ["a"] and len(store.imports()) == 1
    assert query(address, "SELECT count(*) FROM fleetdesk.vehicles") == before
    write(store, vehicles("b"))
    assert ids(store) == ["a", "b"]


def test_a_server_that_dies_in_the_middle_of_an_import_loses_only_that() -> None:
    with running_postgres() as server:
        address = server.new_database()
        with open_any(address, NOWHERE, create=True) as store:
            write(store, vehicles("a"))
            fleet = store.tables()["vehicles"]
            with pytest.raises(StoreUnusable, match="was lost"), store.new_generation("t") as g:
                g.append("vehicles", vehicles("b"))
                os.kill(server.pid, signal.SIGQUIT)  # no time to tidy up
                for _ in range(100):
                    g.append("vehicles", vehicles("c"))
            with pytest.raises(StoreUnusable, match="was lost"):
                store.imports()
            for read in (fleet.to_pyarrow, fleet.execute, lambda: list(fleet.to_pyarrow_batches())):
                with pytest.raises(StoreUnusable, match="was lost while reading"):
                    read()
        with pytest.raises(StoreUnusable, match="cannot be opened"):
            open_any(address, NOWHERE)


def test_an_import_without_news_writes_no_row(address: str, store: Store) -> None:
    write(store, vehicles("a", "b"))
    write(store, vehicles("b", "a"))
    assert query(address, "SELECT DISTINCT _since FROM fleetdesk.vehicles") == [(1,)]
    write(store, vehicles("b", kind="x2"))
    spans = query(address, "SELECT vehicle_id, _since FROM fleetdesk.vehicles ORDER BY 1, 2")
    assert spans == [("a", 1), ("b", 1), ("b", 3)]


def test_rows_that_no_generation_shows_are_removed(address: str, store: Store) -> None:
    for number in range(6):
        write(store, vehicles("a", kind=f"x{number}"))
    rows = query(address, "SELECT vehicle_type FROM fleetdesk.vehicles ORDER BY 1")
    assert rows == [("x3",), ("x4",), ("x5",)]


def test_three_writers_on_several_computers_never_meet_a_lock_but_in_a_sentence(
    address: str, store: Store
) -> None:
    refused: list[str] = []

    def import_some(who: str) -> None:
        with open_any(address, NOWHERE) as mine:
            for number in range(5):
                while True:
                    try:
                        write(mine, vehicles(f"{who}{number}"))
                        break
                    except StoreUnusable as refusal:
                        assert refusal.retry_helps
                        refused.append(refusal.found)

    writers = [threading.Thread(target=import_some, args=(who,)) for who in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with open_any(address, NOWHERE) as after:
        assert ids(after) == [f"{who}{number}" for who in "abc" for number in range(5)]
        assert len(after.imports()) == 15
    assert all(", on " in found for found in refused)


def test_a_writer_that_vanishes_frees_its_lock(address: str, store: Store) -> None:
    with open_any(address, NOWHERE) as other:
        with other.runs.lock(NOON):
            cut(address, "pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'")
            with store.runs.lock(NOON):
                pass
        with pytest.raises(StoreUnusable, match="was lost"):
            other.imports()


def test_counts_that_do_not_fit_the_ledger_are_named(address: str, store: Store) -> None:
    write(store, vehicles("a", "b"))
    store.verify()
    query(address, "DELETE FROM fleetdesk.vehicles WHERE vehicle_id = 'a'")
    with pytest.raises(StoreUnusable, match="vehicles has 1 rows instead of 2"):
        store.verify()


def test_a_text_that_the_database_cannot_keep_is_named(store: Store) -> None:
    assert "texts with a NUL" in [gap.name for gap in store.capabilities().gaps]
    with pytest.raises(SourceUnreadable, match="cannot keep"):
        write(store, vehicles("a\x00b"))
    assert ids(store) == []


def test_empty_and_missing_texts_and_odd_ones_come_back_as_they_were(store: Store) -> None:
    odd = ["", '"', "\\.", "a,b", "line\nbreak", "NULL", "Ω 🛴"]
    write(store, vehicles(*odd))
    assert ids(store) == sorted(odd)
    order = store.tables()["vehicles"].order_by("vehicle_id").vehicle_id.to_pyarrow().to_pylist()
    assert order == sorted(odd)  # byte by byte, whatever the database's language


def test_decimals_of_the_server_are_numbers(store: Store) -> None:
    rider = {"rider_id": "r1", "signed_up_at": datetime(2024, 1, 1), "channel": None,
             "age_group": None, "consent": True, "referrals": 3}  # fmt: skip
    with store.new_generation("one rider") as generation:
        generation.append("riders", rows_of("riders", rider))
    riders = store.tables()["riders"]
    rows = riders.select(
        nothing=ibis.literal(0.0), half=riders.referrals * 0.5, all=riders.referrals.sum()
    )
    assert rows.to_pyarrow().to_pylist() == [{"nothing": 0.0, "half": 1.5, "all": 3}]


def test_a_store_is_only_laid_when_asked_for(postgres: PostgresServer) -> None:
    address = postgres.new_database()
    with pytest.raises(StoreUnusable, match="no FleetDesk store in this database"):
        open_any(address, NOWHERE)
    assert query(address, "SELECT 1 FROM pg_namespace WHERE nspname = 'fleetdesk'") == []


def test_a_newer_store_is_refused(address: str, store: Store) -> None:
    query(address, "UPDATE fleetdesk.schema_version SET version = 99")
    with pytest.raises(StoreUnusable, match="newer FleetDesk"):
        open_any(address, NOWHERE)


def test_an_older_store_is_brought_up(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, steps = postgres.new_database(), migrations.STEPS
    monkeypatch.setattr(migrations, "STEPS", steps[:1])
    with open_any(address, NOWHERE, create=True):
        pass
    query(address, "DROP TABLE fleetdesk.weather")
    query(address, "ALTER TABLE fleetdesk.vehicles DROP COLUMN full_range_m")
    monkeypatch.setattr(migrations, "STEPS", steps)
    with open_any(address, NOWHERE) as store:
        write(store, vehicles("a"))
        store.keep_note("name", "value")
        assert store.note("name") == "value"
        assert store.tables()["weather"].count().execute() == 0
    version = query(address, "SELECT version FROM fleetdesk.schema_version")
    assert version == [(steps[-1].version,)]
    kept = f"fleetdesk.before_v{steps[-1].version}"
    assert query(address, f"SELECT version FROM {kept}_schema_version") == [(1,)]
    assert query(address, f"SELECT count(*) FROM {kept}_imports") == [(0,)]


def test_every_step_of_the_ledger_can_be_said_in_postgres() -> None:
    said = [translated(text) for step in migrations.STEPS for text in step.statements]
    assert not any("STRICT" in text or "INTEGER" in text for text in said)


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(StoreUnusable) as refusal:
        open_any("postgresql://planner:geheim@127.0.0.1:1/db", NOWHERE)
    assert "holds a password" in str(refusal.value) and "geheim" not in str(refusal.value)


def test_the_password_comes_from_the_caller(address: str) -> None:
    asked = []
    with closing(
        open_any(address, NOWHERE, create=True, secret=lambda name: asked.append(name) or "geheim")
    ):
        pass
    assert set(asked) == {"store-password"}


@pytest.mark.parametrize("wrong", ["mysql://host/db", "spark", "spark:remote", "host/db"])
def test_an_address_of_no_known_kind_is_refused(wrong: str) -> None:
    with pytest.raises(StoreUnusable, match="not an address that FleetDesk knows"):
        open_any(wrong, NOWHERE)


def test_a_server_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(StoreUnusable, match=r"127\.0\.0\.1:1 cannot be opened") as refusal:
        open_any("postgresql://planner@127.0.0.1:1/db", NOWHERE)
    assert refusal.value.retry_helps and "FLEETDESK_STORE_PASSWORD" in refusal.value.fix
