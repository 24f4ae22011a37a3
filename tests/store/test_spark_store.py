"""What only the store read through Spark can meet."""

from __future__ import annotations

from pathlib import Path

import ibis
import pyarrow as pa
import pytest
from tests.services.spark import needs_spark

from fleetdesk.errors import StoreUnusable
from fleetdesk.store import spark_store
from fleetdesk.store.open import open_any


@pytest.fixture(autouse=True)
def _with_spark() -> None:
    needs_spark()


def weather(*days: int) -> pa.Table:
    hours = pa.array([19_000 * 86_400 + 86_400 * day for day in days], pa.timestamp("s"))
    n = [1.0] * len(days)
    return pa.table({"hour_at": hours, "temperature_c": n, "rain_mm": n, "wind_kmh": n})


def test_a_folder_whose_name_looks_like_a_pattern_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "a [b] {c,d} *?"
    with open_any("spark:local", folder, create=True) as store:
        with store.new_generation("test") as generation:
            generation.append("weather", weather(0, 1, 2))
        assert store.tables()["weather"].count().execute() == 3
        assert store.capabilities().kind == "spark"
    with open_any("", folder) as same:
        assert same.tables()["weather"].count().execute() == 3


def test_what_is_cached_may_rest_on_tables_in_memory(tmp_path: Path) -> None:
    with open_any("spark:local", tmp_path / "store", create=True) as store:
        with store.new_generation("test") as generation:
            generation.append("weather", weather(0, 1))
        wanted = ibis.memtable(pa.table({"temperature_c": [1.0], "name": ["one"]}))
        named = store.tables()["weather"].inner_join(wanted, "temperature_c").cache()
        assert named.count().execute() == 2


def test_there_is_no_store_to_read_unless_one_is_laid(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="no FleetDesk store in this folder"):
        open_any("spark:local", tmp_path)


def test_what_looks_after_the_folder_starts_no_spark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(address: str) -> None:
        raise AssertionError(address)

    monkeypatch.setattr(spark_store, "_session", started)
    with open_any("spark:local", tmp_path / "store", create=True) as store:
        with store.new_generation("test") as generation:
            generation.append("weather", weather(0, 1))
        assert len(store.imports()) == 1 and store.data_window() is None
        store.verify()
        store.collect_garbage()
        with pytest.raises(AssertionError, match="spark:local"):
            store.tables()
