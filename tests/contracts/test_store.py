"""What every store must do; a further store joins by adding its opener to OPENERS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from tests.services.postgres import PostgresServer
from tests.services.spark import needs_spark

from fleetdesk.errors import SourceUnreadable, StoreUnusable
from fleetdesk.model.quality import DroppedRows, QualityReport
from fleetdesk.model.tables import TABLES
from fleetdesk.store.base import Recovered, RunState, Store
from fleetdesk.store.open import open_any

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
Opener = Callable[[Path], Store]


def _duckdb(_: pytest.FixtureRequest) -> Opener:
    return lambda folder: open_any("", folder, create=True, clock=lambda: NOON)


def _postgres(request: pytest.FixtureRequest) -> Opener:
    server: PostgresServer = request.getfixturevalue("postgres")
    address = server.new_database()
    return lambda _: open_any(address, Path("nowhere"), create=True, clock=lambda: NOON)


def _spark(_: pytest.FixtureRequest) -> Opener:
    needs_spark()
    return lambda folder: open_any("spark:local", folder, create=True, clock=lambda: NOON)


OPENERS = {"duckdb": _duckdb, "postgres": _postgres, "spark": _spark}


@pytest.fixture(params=sorted(OPENERS))
def opener(request: pytest.FixtureRequest) -> Opener:
    return OPENERS[request.param](request)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "it's a store"  # a quote in the path must do no harm


@pytest.fixture
def store(opener: Opener, folder: Path) -> Any:
    with opener(folder) as opened:
        yield opened


def weather(*hours: int, temperature: float = 10.0, start: datetime = NOON) -> pa.Table:
    naive = start.replace(tzinfo=None)
    return pa.table(
        {
            "hour_at": pa.array([naive + timedelta(hours=h) for h in hours], pa.timestamp("us")),
            "temperature_c": [temperature] * len(hours),
            "rain_mm": [0.0] * len(hours),
            "wind_kmh": [5.0] * len(hours),
        }
    )


def vehicles(*ids: str, kind: str = "x1") -> pa.Table:
    n = len(ids)
    return pa.table(
        {
            "vehicle_id": list(ids),
            "vehicle_type": [kind] * n,
            "full_range_m": pa.array([None] * n, pa.float64()),
            "battery_capacity_wh": pa.array([500.0] * n, pa.float64()),
            "first_seen_at": pa.array([datetime(2024, 1, 1)] * n, pa.timestamp("us")),
        }
    )


def read(store: Store, table: str) -> list[dict[str, Any]]:
    expression = store.tables()[table]
    rows: list[dict[str, Any]] = (
        expression.order_by(list(TABLES[table].key)).to_pyarrow().to_pylist()
    )
    return rows


def write(store: Store, keep: bool = True, **tables: pa.Table) -> None:
    with store.new_generation("test", keep=keep) as generation:
        for name, data in tables.items():
            generation.append(name, data)


def test_a_new_store_has_every_table_empty_and_typed(store: Store) -> None:
    tables = store.tables()
    assert set(tables) == set(TABLES)
    for name, definition in TABLES.items():
        assert tables[name].columns == definition.column_names
        assert tables[name].count().to_pyarrow().as_py() == 0
    trips = tables["trips"].schema()
    assert trips["started_at"].is_timestamp() and trips["started_at"].timezone is None
    assert trips["inferred"].is_boolean() and trips["distance_m"].is_float64()
    assert store.data_window() is None
    assert store.imports() == []


def test_what_is_written_is_read_back(store: Store) -> None:
    before = store.generation
    write(store, weather=weather(0, 30, 1), vehicles=vehicles("b", "a"))
    assert store.generation > before
    assert [row["hour_at"] for row in read(store, "weather")] == [
        datetime(2024, 5, 1, 12), datetime(2024, 5, 1, 13), datetime(2024, 5, 2, 18),
    ]  # fmt: skip
    assert [row["vehicle_id"] for row in read(store, "vehicles")] == ["a", "b"]
    assert read(store, "vehicles")[0]["full_range_m"] is None


def test_importing_the_same_rows_again_changes_nothing(store: Store) -> None:
    write(store, weather=weather(0, 1, 30), vehicles=vehicles("a"))
    first = read(store, "weather"), read(store, "vehicles")
    write(store, weather=weather(30, 1, 0), vehicles=vehicles("a"))
    assert (read(store, "weather"), read(store, "vehicles")) == first
    assert store.imports()[-1].tables["weather"].replaced == 3
    assert store.imports()[-1].tables["weather"].rows == 3


def test_the_later_row_of_a_key_wins_between_imports_and_within_one(store: Store) -> None:
    write(store, weather=weather(0, 1, temperature=1.0))
    with store.new_generation("test") as generation:
        generation.append("weather", weather(1, temperature=2.0))
        generation.append("weather", weather(1, 1, temperature=3.0))
    assert [row["temperature_c"] for row in read(store, "weather")] == [1.0, 3.0]


def test_keep_false_starts_afresh(store: Store) -> None:
    write(store, weather=weather(0), vehicles=vehicles("a"))
    write(store, keep=False, weather=weather(5))
    assert len(read(store, "weather")) == 1
    assert read(store, "vehicles") == []


def test_tables_left_alone_carry_over(store: Store) -> None:
    write(store, weather=weather(0, 30), vehicles=vehicles("a"))
    write(store, vehicles=vehicles("b"))
    write(store, weather=weather(31))
    assert len(read(store, "weather")) == 3
    assert [row["vehicle_id"] for row in read(store, "vehicles")] == ["a", "b"]
    store.verify()


def test_an_error_in_the_block_leaves_everything_as_it_was(store: Store) -> None:
    write(store, weather=weather(0))
    before = store.generation
    with pytest.raises(ZeroDivisionError), store.new_generation("test") as generation:
        generation.append("weather", weather(1, 2, 3))
        raise ZeroDivisionError
    assert store.generation == before
    assert len(read(store, "weather")) == 1
    assert len(store.imports()) == 1
    write(store, weather=weather(1))
    assert len(read(store, "weather")) == 2


def test_an_open_store_stays_on_its_generation(opener: Opener, folder: Path) -> None:
    with opener(folder) as writer, opener(folder) as reader:
        write(writer, weather=weather(0))
        assert read(reader, "weather") == []
        for hour in range(1, 6):  # more than are kept behind the current one
            write(writer, weather=weather(hour))
            writer.collect_garbage()
        with opener(folder) as middle:
            write(writer, weather=weather(10))
            for hour in range(20, 26):
                write(writer, weather=weather(hour))
            assert len(read(middle, "weather")) == 6
        assert read(reader, "weather") == []


def test_only_one_writer_at_a_time(opener: Opener, folder: Path) -> None:
    with opener(folder) as one, opener(folder) as two:
        with one.new_generation("first"), pytest.raises(StoreUnusable) as refusal:
            write(two, weather=weather(0))
        assert refusal.value.retry_helps and "first" in refusal.value.found
        write(two, weather=weather(0))


def test_the_import_keeps_the_sources_account(opener: Opener, folder: Path) -> None:
    report = QualityReport(
        "snapshots.csv", 5, 3, (DroppedRows("no id", 2, ("row 4", "row 9")),),
        ("Battery was worked out from range.",), {"vehicles": 3},
    )  # fmt: skip
    with opener(folder) as store, store.new_generation("snapshots.csv") as generation:
        generation.append("vehicles", vehicles("a", "b", "c"))
        generation.describe(report, note="by hand")
    with opener(folder) as store:
        (record,) = store.imports()
    assert record.report == report
    assert (record.source, record.note, record.imported_at) == ("snapshots.csv", "by hand", NOON)
    assert record.tables["vehicles"].received == 3


def test_rows_and_the_sources_watermark_come_together_or_not_at_all(
    opener: Opener, folder: Path
) -> None:
    with opener(folder) as store:
        assert store.visits() == []
        with store.new_generation("feed") as generation:
            generation.append("vehicles", vehicles("a"))
            generation.reached("gbfs feed", {"seen": "1"})
        with pytest.raises(ZeroDivisionError), store.new_generation("feed") as generation:
            generation.append("vehicles", vehicles("b"))
            generation.reached("gbfs feed", {"seen": "2"})
            raise ZeroDivisionError
        with opener(folder) as reader:
            with store.new_generation("other") as generation:
                generation.append("vehicles", vehicles("c"))
                generation.reached("mds other", {})
            with store.new_generation("feed") as generation:
                generation.append("vehicles", vehicles("d"))
                generation.reached("gbfs feed", {"seen": "3"})
            assert [visit.watermark for visit in reader.visits()] == [{"seen": "1"}]
    with opener(folder) as store:
        assert [(visit.origin, visit.watermark) for visit in store.visits()] == [
            ("gbfs feed", {"seen": "3"}), ("mds other", {}),
        ]  # fmt: skip
        assert [record.origin for record in store.imports()][-1] == "gbfs feed"
        assert store.visits()[0].visited_at == NOON


def test_old_looks_are_forgotten_and_the_latest_counts(store: Store) -> None:
    with store.importing("feed"):
        for number, origin in enumerate(["rarely", *["often"] * 13]):
            with store.new_generation("feed") as generation:
                generation.append("vehicles", vehicles("a"))
                generation.reached(origin, {"seen": str(number)})
    seen = {visit.origin: visit.watermark["seen"] for visit in store.visits()}
    assert seen == {"often": "13", "rarely": "0"}


def test_a_look_without_news_moves_the_watermark_and_makes_no_generation(
    opener: Opener, folder: Path
) -> None:
    first = QualityReport("feed", 1, 1)
    with opener(folder) as store:
        with store.new_generation("feed") as generation:
            generation.append("vehicles", vehicles("a"))
            generation.reached("gbfs feed", {"seen": "1"})
        before = store.generation
        store.visited("gbfs feed", {"seen": "1"}, first)  # the end of that import
        later = QualityReport("feed", 2, 0, (DroppedRows("no id", 2),))
        store.visited("gbfs feed", {"seen": "2"}, later)
    with opener(folder) as store:
        assert store.generation == before
        (visit,) = store.visits()
        assert (visit.watermark, visit.report) == ({"seen": "2"}, later)
        assert store.imports()[-1].report == first


def test_several_generations_can_be_written_in_one_place(opener: Opener, folder: Path) -> None:
    with opener(folder) as one, opener(folder) as two:
        write(two, weather=weather(0))
        with one.importing("a long import"):
            assert len(read(one, "weather")) == 1  # it turned to the newest generation
            for hour in (1, 2):
                write(one, weather=weather(hour))
                with pytest.raises(StoreUnusable, match="a long import"):
                    write(two, weather=weather(9))
        write(two, weather=weather(3))
        assert len(read(two, "weather")) == 4


def test_garbage_can_be_looked_at_before_it_is_removed(opener: Opener, folder: Path) -> None:
    with opener(folder) as store:
        for hour in range(3):
            write(store, weather=weather(hour))
        with opener(folder) as reader:
            oldest = f"generations/{reader.generation}"
            for hour in range(3, 6):
                write(store, weather=weather(hour))
        would = store.collect_garbage(dry_run=True)
        assert oldest in would
        assert store.collect_garbage(dry_run=True) == would
        assert store.collect_garbage() == would
        assert store.collect_garbage() == []


def test_results_of_an_old_run_can_be_dropped(store: Store, workbook: Path) -> None:
    with store.runs.lock(NOON):
        begin(store, "r1")
        with pytest.raises(RuntimeError):
            store.runs.drop_results("r1")
        publish(store, "r1", workbook)
        store.runs.finish("r1", ended_at=NOON)
    assert store.runs.drop_results("r1")
    assert not store.runs.drop_results("r1")
    with pytest.raises(StoreUnusable):
        store.result("r1", "tasks")
    assert store.runs.last_published() is not None


def test_notes_are_kept_and_replaced(opener: Opener, folder: Path) -> None:
    with opener(folder) as store:
        assert store.note("centre") is None
        store.keep_note("centre", "1")
        store.keep_note("centre", "2")
    with opener(folder) as store:
        assert store.note("centre") == "2"


def test_the_data_window_spans_observations_only(store: Store) -> None:
    pings = pa.table(
        {
            "vehicle_id": ["a", "a"],
            "recorded_at": pa.array(
                [datetime(2024, 5, 1, 1), datetime(2024, 5, 3, 2)], pa.timestamp("us")
            ),
            "lat": [40.0, 40.0],
            "lon": [22.0, 22.0],
            "speed_kmh": pa.array([None, None], pa.float64()),
            "battery_pct": pa.array([None, 1.0]),
            "hdop": pa.array([None, None], pa.float64()),
            "locked": pa.array([None, True]),
        }
    )
    write(store, telemetry=pings, weather=weather(24 * 30))
    assert store.data_window() == (
        datetime(2024, 5, 1, 1, tzinfo=UTC), datetime(2024, 5, 3, 2, tzinfo=UTC),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop_columns(["rain_mm"]), "missing rain_mm"),
        (lambda t: t.append_column("rain", t["rain_mm"]), "not known rain"),
        (lambda t: t.append_column("rain_mm", t["rain_mm"]), "there twice"),
        (lambda t: t.set_column(1, "temperature_c", pa.array(["1", "2"])), "weather.temperature_c"),
        (
            lambda t: t.set_column(1, "temperature_c", pa.array([1.0, None])),
            "weather.temperature_c is empty in 1 of 2 rows. Found: first in row 2",
        ),
        (
            lambda t: t.set_column(1, "temperature_c", pa.array([1.0, float("nan")])),
            "not a number. Found: first in row 2",
        ),
        (
            lambda t: t.set_column(0, "hour_at", t["hour_at"].cast(pa.timestamp("us", "UTC"))),
            "UTC without a zone",
        ),
        (
            lambda t: t.set_column(0, "hour_at", pa.array([1, 1001], pa.timestamp("ns"))),
            "without loss",
        ),
    ],
)
def test_rows_of_another_shape_are_refused_in_a_sentence(
    store: Store, change: Callable[[pa.Table], pa.Table], said: str
) -> None:
    with pytest.raises(SourceUnreadable) as refusal:
        write(store, weather=change(weather(0, 1)))
    assert said in str(refusal.value)
    assert read(store, "weather") == []


def test_widths_and_column_order_are_evened_out(store: Store) -> None:
    data = weather(0, 1)
    narrow = data.set_column(0, "hour_at", data["hour_at"].cast(pa.timestamp("s")))
    narrow = narrow.set_column(3, "wind_kmh", narrow["wind_kmh"].cast(pa.float32()))
    write(store, weather=narrow.select(list(reversed(narrow.column_names))))
    assert read(store, "weather")[1]["wind_kmh"] == 5.0
    batch = vehicles("a").to_batches()[0]
    coded = batch.set_column(1, "vehicle_type", batch.column(1).dictionary_encode())
    with store.new_generation("test") as generation:
        generation.append("vehicles", coded)
    assert read(store, "vehicles")[0]["vehicle_type"] == "x1"


def test_an_unknown_table_is_refused_with_the_nearest_name(store: Store) -> None:
    with pytest.raises(SourceUnreadable, match="Did you mean 'vehicles'"):
        write(store, vehicle=vehicles("a"))


# --- runs -------------------------------------------------------------------------------------


def begin(store: Store, run_id: str, weight: float = 0.5) -> None:
    store.runs.begin(
        run_id,
        started_at=NOON,
        settings_json=f'{{"weight": {weight}}}',
        settings_flat={"Weights / Low battery": weight},
        seed=7,
        code_version="0.1",
        generation=store.generation,
        data_window=(NOON, NOON + timedelta(days=1)),
    )


def publish(store: Store, run_id: str, workbook: Path) -> None:
    store.save_result(run_id, "tasks", pa.table({"task_id": ["t1", "t2"]}))
    store.runs.publishing(
        run_id, workbook=str(workbook), before_sha="old", after_sha="new", summary={"tasks": 2}
    )


def content(address: str) -> str | None:
    path = Path(address)
    return path.read_text(encoding="utf-8") if path.exists() else None


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "plan.xlsx"
    path.write_text("old", encoding="utf-8")
    return path


def test_a_run_from_beginning_to_end(store: Store, workbook: Path) -> None:
    assert store.runs.last_published() is None
    with store.runs.lock(NOON):
        begin(store, "r1")
        publish(store, "r1", workbook)
        with pytest.raises(StoreUnusable):
            store.result("r1", "tasks")  # not to be seen before the workbook is
        store.runs.finish("r1", ended_at=NOON + timedelta(seconds=9))
    assert store.result("r1", "tasks").column("task_id").to_pylist() == ["t1", "t2"]
    run = store.runs.last_published()
    assert run is not None
    assert run.state is RunState.FINISHED and run.settings_flat == {"Weights / Low battery": 0.5}
    assert run.data_window == (NOON, NOON + timedelta(days=1))
    assert (run.seed, run.summary, run.workbook) == (7, {"tasks": 2}, str(workbook))
    assert run.ended_at == NOON + timedelta(seconds=9)
    with pytest.raises(StoreUnusable):
        store.result("r1", "routes")


def test_the_last_published_run_is_the_latest_that_finished(store: Store, workbook: Path) -> None:
    with store.runs.lock(NOON):
        for run_id, weight in (("r1", 0.1), ("r2", 0.2), ("r3", 0.3)):
            begin(store, run_id, weight)
            if run_id == "r3":
                store.save_result(run_id, "tasks", pa.table({"a": [1]}))
                store.runs.failed(run_id, ended_at=NOON, reason="no workers")
            else:
                publish(store, run_id, workbook)
                store.runs.finish(run_id, ended_at=NOON)
    run = store.runs.last_published()
    assert run is not None and run.settings_flat == {"Weights / Low battery": 0.2}
    assert [entry.state for entry in store.runs.list()] == ["finished", "finished", "failed"]
    assert store.runs.list()[-1].reason == "no workers"


def test_a_second_run_is_told_who_is_running(opener: Opener, folder: Path) -> None:
    with opener(folder) as one, opener(folder) as two:
        here = NOON.astimezone(ZoneInfo("Europe/Athens"))
        with one.runs.lock(here), pytest.raises(StoreUnusable) as refusal, two.runs.lock(NOON):
            pass
        assert "process" in refusal.value.found
        assert "since 2024-05-01 15:00 (Europe/Athens)" in refusal.value.found
        assert refusal.value.retry_helps
        with pytest.raises(RuntimeError):
            begin(two, "r1")
        with two.runs.lock(NOON):
            begin(two, "r1")
        with two.runs.lock(NOON), pytest.raises(StoreUnusable, match="r1 already"):
            begin(two, "r1")


@pytest.mark.parametrize(
    ("present", "state", "reason"),
    [
        ("new", RunState.FINISHED, "had been written"),
        ("old", RunState.DISCARDED, "had not been written"),
        ("else", RunState.DISCARDED, "changed by somebody else"),
        (None, RunState.DISCARDED, "gone"),
    ],
)
def test_a_crash_while_publishing_is_settled_by_the_workbook(
    opener: Opener, folder: Path, workbook: Path, present: str | None, state: RunState, reason: str
) -> None:
    with opener(folder) as store, store.runs.lock(NOON):
        begin(store, "r1")
        publish(store, "r1", workbook)
    if present is None:
        workbook.unlink()
    else:
        workbook.write_text(present, encoding="utf-8")
    with opener(folder) as store:
        (settled,) = store.runs.recover(content, at=NOON)
        assert (settled.was, settled.now) == (RunState.PUBLISHING, state)
        assert reason in settled.reason
        if state is RunState.FINISHED:
            assert store.result("r1", "tasks").num_rows == 2
        else:
            assert store.runs.last_published() is None
            with pytest.raises(StoreUnusable):
                store.result("r1", "tasks")
        assert store.runs.recover(content, at=NOON) == []


def test_a_dead_run_is_interrupted_and_a_live_one_is_left(
    opener: Opener, folder: Path, workbook: Path
) -> None:
    with opener(folder) as one, opener(folder) as two:
        with one.runs.lock(NOON):
            begin(one, "r1")
            with pytest.raises(StoreUnusable, match="Another run"):
                two.runs.recover(content, at=NOON)
        (settled,) = two.runs.recover(content, at=NOON)
        assert isinstance(settled, Recovered) and settled.now is RunState.INTERRUPTED


def test_results_are_taken_only_from_a_run_under_way(store: Store) -> None:
    with pytest.raises(RuntimeError):
        store.save_result("nobody", "tasks", pa.table({"a": [1]}))


def payments(**riders: str) -> pa.Table:
    """A payment of each rider, by its id and the day of May it was due on."""
    days = [datetime(2024, 5, int(day)) for day in riders.values()]
    count = len(days)
    return pa.table(
        {
            "payment_id": [f"{rider}-{day}" for rider, day in riders.items()],
            "rider_id": list(riders),
            "due_at": pa.array(days, pa.timestamp("us")),
            "paid_at": pa.array([None] * count, pa.timestamp("us")),
            "amount": [1.0] * count,
            "payment_kind": ["trip"] * count,
        }
    )


def test_removed_rows_are_in_no_generation(opener: Opener, folder: Path) -> None:
    with opener(folder) as store:
        write(store, payments=payments(ann="1", bob="1"), vehicles=vehicles("a"))
        write(store, payments=payments(ann="2", cid="3"))
        removed = store.remove_rows("rider_id", "ann")
        assert removed.rows == {"payments": 2} and list(removed.still_read) == []
        assert [row["rider_id"] for row in read(store, "payments")] == ["bob", "cid"]
        assert [row["vehicle_id"] for row in read(store, "vehicles")] == ["a"]
        latest = store.last_import()
        assert latest is not None and latest.tables["payments"].rows == 2
        store.verify()
        assert store.remove_rows("rider_id", "ann").rows == {}
        write(store, payments=payments(ann="2"))  # nothing keeps a rider from coming again
        assert len(read(store, "payments")) == 3


def test_the_last_import_is_the_newest_one(store: Store) -> None:
    assert store.last_import() is None
    write(store, weather=weather(0))
    write(store, weather=weather(1))
    assert store.last_import() == store.imports()[-1]
