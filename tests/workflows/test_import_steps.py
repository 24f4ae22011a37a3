"""Imports that go on where they stopped, say what is new, and refuse what is not meant."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fleetdesk.apps.cli import cli
from fleetdesk.errors import FleetDeskError, SourceUnreadable, StoreUnusable, WorkbookRefused
from fleetdesk.sources import kinds
from fleetdesk.sources.base import Surroundings
from fleetdesk.store.duckdb_store import open_store
from fleetdesk.workflows import intake
from fleetdesk.workflows.refresh import ImportResult, import_source
from fleetdesk.workflows.run import run_workbook
from fleetdesk.workflows.workspace import NewWorkbook

from . import feeds
from .conftest import Clock, column


@pytest.fixture(autouse=True)
def numbers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(kinds, "KINDS", dict(kinds.KINDS))
    monkeypatch.setattr("fleetdesk.workflows.import_options.KINDS", kinds.KINDS)
    feeds.register()
    yield


def bring(folder: Path, *options: str, **more: Any) -> ImportResult:
    new = more.pop("new", NewWorkbook())
    return import_source(
        "numbers", "https://feed/numbers", folder, new, options=options, clock=Clock(), **more
    )


def held(folder: Path) -> tuple[list[float], str]:
    """The numbers in the store, and the watermark that came with them."""
    with open_store(folder / "store") as store:
        speeds = store.tables()["telemetry"].speed_kmh.to_pyarrow().to_pylist()
        visits = store.visits()
        return sorted(speeds), visits[0].watermark["next"] if visits else ""


def break_at(row: int, trouble: BaseException) -> Callable[[int], None]:
    def at(first: int) -> None:
        if first == row:
            raise trouble

    return at


def test_only_what_is_new_is_read_and_it_is_there_once(tmp_path: Path) -> None:
    assert bring(tmp_path / "w", "rows=25").report.rows_kept == 25
    more = bring(tmp_path / "w", "rows=40")
    assert (more.report.rows_in, more.news) == (15, True)
    assert held(tmp_path / "w") == ([float(n) for n in range(40)], "40")
    assert bring(tmp_path / "w", "rows=40", again=True).report.rows_in == 40
    assert held(tmp_path / "w")[0] == [float(n) for n in range(40)]


def test_without_news_nothing_is_written_and_rejected_rows_are_told(tmp_path: Path) -> None:
    bring(tmp_path / "w")
    with open_store(tmp_path / "w" / "store") as store:
        before = store.generation
    again = bring(tmp_path / "w", "bad=3")
    assert not again.news and again.workbook is None
    assert again.report.rows_dropped == 3
    assert "no news" in again.as_dict()["text"] and "no position" in again.as_dict()["text"]
    with open_store(tmp_path / "w" / "store") as store:
        assert store.generation == before
        assert store.visits()[0].report == again.report


def test_long_imports_are_kept_in_steps_with_one_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "ROWS_PER_GENERATION", 30)
    said: list[str] = []
    bring(tmp_path / "w", on_progress=lambda step, _: said.append(step))
    with open_store(tmp_path / "w" / "store") as store:
        imports = store.imports()
    assert [record.tables["telemetry"].received for record in imports] == [30, 30, 30, 10]
    assert [bool(record.report) for record in imports] == [False, False, False, True]
    assert imports[-1].report and imports[-1].report.rows_kept == 100
    assert "60 rows are safe" in said


def test_an_import_that_ends_on_a_step_has_its_account_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "ROWS_PER_GENERATION", 50)
    bring(tmp_path / "w")
    with open_store(tmp_path / "w" / "store") as store:
        assert [bool(record.report) for record in store.imports()] == [False, True]


def test_time_passes_for_slow_sources_too(tmp_path: Path) -> None:
    seconds = iter(range(0, 100_000, 20))
    bring(tmp_path / "w", timer=lambda: float(next(seconds)))
    with open_store(tmp_path / "w" / "store") as store:
        assert len(store.imports()) > 2


@pytest.mark.parametrize("held_bytes", [1, 10**9])
@pytest.mark.parametrize("row", [0, 10, 35, 40, 95])
def test_what_was_checkpointed_before_ctrl_c_stays_and_the_rest_comes_later(
    tmp_path: Path, row: int, held_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "HELD_BYTES", held_bytes)
    folder = tmp_path / "w"
    feeds.register(break_at(row, KeyboardInterrupt()))
    with pytest.raises((KeyboardInterrupt, FleetDeskError)) as stop:
        bring(folder)
    safe = row // 10 * 10
    if held_bytes == 1 and row % 10:
        safe = 0  # rows ahead of their checkpoint cannot be told from the others any more
    if safe:
        assert stop.value.exit_code == 130  # type: ignore[union-attr]
        assert f"{safe} rows are in" in str(stop.value)
        assert held(folder) == ([float(n) for n in range(safe)], str(safe))
    else:
        assert not folder.exists()
    feeds.register()
    bring(folder)
    assert held(folder) == ([float(n) for n in range(100)], "100")


def test_a_source_that_breaks_on_the_way_keeps_what_it_checkpointed(tmp_path: Path) -> None:
    feeds.register(break_at(55, SourceUnreadable("The server hung up", fix="Try later")))
    with pytest.raises(SourceUnreadable, match="50 rows are in"):
        bring(tmp_path / "w")
    assert held(tmp_path / "w") == ([float(n) for n in range(50)], "50")
    feeds.register(break_at(55, OSError("socket")))
    with pytest.raises(OSError, match="socket"):
        bring(tmp_path / "w")
    assert held(tmp_path / "w")[1] == "50"


def test_a_first_import_that_fails_leaves_nothing(tmp_path: Path) -> None:
    feeds.register(break_at(0, SourceUnreadable("The server does not answer")))
    with pytest.raises(SourceUnreadable):
        bring(tmp_path / "w")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "FleetDesk.xlsx").write_bytes(b"mine")
    with pytest.raises(SourceUnreadable):
        bring(tmp_path / "w")
    assert [path.name for path in (tmp_path / "w").iterdir()] == ["FleetDesk.xlsx"]
    with pytest.raises(SourceUnreadable, match="No row of numbers"):
        bring(tmp_path / "v", "rows=0", "bad=2")
    assert not (tmp_path / "v").exists()


def test_another_import_under_way_is_told_and_not_disturbed(tmp_path: Path) -> None:
    refused = []

    def second(first: int) -> None:
        if first == 50:
            with pytest.raises(StoreUnusable, match="Another import") as refusal:
                bring(tmp_path / "w")
            refused.append(refusal.value)

    feeds.register(second)
    bring(tmp_path / "w")
    assert refused[0].retry_helps and "numbers" in refused[0].found
    assert held(tmp_path / "w") == ([float(n) for n in range(100)], "100")


def test_another_citys_records_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    bring(folder)
    with pytest.raises(SourceUnreadable, match="2224 km"):
        bring(folder, "lat=60", again=True)
    assert held(folder) == ([float(n) for n in range(100)], "100")
    few = bring(folder, "lat=60", "rows=105")
    assert "WARNING" in few.as_dict()["text"] and "2224 km" in few.as_dict()["text"]
    taken = bring(folder, "lat=60", again=True, another_city=True)
    assert "WARNING" in taken.notes[0]


def test_city_options_beside_a_workbook_are_told_to_be_left_aside(tmp_path: Path) -> None:
    new = NewWorkbook("Larissa", "Europe/Athens", "EUR", given=("--city", "--timezone"))
    assert bring(tmp_path / "w", new=new).workbook is not None
    assert "--city, --timezone left aside" in bring(tmp_path / "w", new=new).as_dict()["text"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["numbrs", "x"], "Did you mean 'numbers'?"),
        (["numbers", "x", "--option", "row=1"], "Did you mean 'rows'?"),
        (["numbers", "x", "--option", "rows"], "--option rows=VALUE"),
        (["tables", "x", "--option", "rows=1"], "it has no options"),
    ],
)
def test_what_is_not_known_is_answered_by_the_nearest(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    result = CliRunner().invoke(
        cli, ["import", *arguments, "--into", str(tmp_path / "w"), "--json"]
    )
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert said in f"{told['found']} {told['fix']}"
    assert not (tmp_path / "w").exists()


def test_files_that_have_not_changed_are_no_news(tmp_path: Path) -> None:
    tables = tmp_path / "tables"
    tables.mkdir()
    file = tables / "weather.csv"
    file.write_text("hour_at,temperature_c,rain_mm,wind_kmh\n2024-05-01T00:00:00Z,1,0,0\n")
    results = [import_source("tables", str(tables), tmp_path / "w", NewWorkbook())]
    begun = time.monotonic()
    results.append(import_source("tables", str(tables), tmp_path / "w", NewWorkbook()))
    assert time.monotonic() - begun < 2
    again = import_source("tables", str(tables), tmp_path / "w", NewWorkbook(), again=True)
    with file.open("a") as more:
        more.write("2024-05-01T01:00:00Z,2,0,0\n")
    results += [again, import_source("tables", str(tables), tmp_path / "w", NewWorkbook())]
    assert [result.news for result in results] == [True, False, True, True]
    assert results[1].report == results[0].report
    assert results[3].report.rows_kept == 2


def test_no_login_reaches_ledger_or_lock(tmp_path: Path) -> None:
    place = "https://me:hunter2hunter2@feed/numbers?api_key=abcdefgh&page=2"
    new = NewWorkbook()
    import_source("numbers", place, tmp_path / "w", new)
    with open_store(tmp_path / "w" / "store") as store:
        assert store.visits()[0].origin == "numbers https://feed/numbers?api_key=&page=2"
    for path in (tmp_path / "w").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"hunter2" not in content and b"abcdefgh" not in content


def test_what_was_left_out_is_on_the_sheet_after_the_next_run(workspace: Path) -> None:
    tables = workspace / "raw"
    tables.mkdir()
    (tables / "weather.csv").write_text(
        "hour_at,temperature_c,rain_mm,wind_kmh\n2024-05-01T00:00:00Z,1,0,0\n,2,0,0\n"
    )
    import_source("tables", str(tables), workspace, NewWorkbook(), clock=Clock())
    path = workspace / "FleetDesk.xlsx"
    run_workbook(path, clock=Clock())
    why = column(path, "Data quality", "Why")
    rows = dict(zip(why, column(path, "Data quality", "Rows"), strict=True))
    assert rows["weather: no hour_at"] == 1 and rows["for all reasons"] == 1
    assert "weather.csv row 3" in column(path, "Data quality", "Examples")


def test_a_source_knows_the_citys_time_zone(workspace: Path, tmp_path: Path) -> None:
    zones: list[str] = []

    def build(place: str, around: Surroundings) -> feeds.Numbers:
        zones.append(around.timezone)
        return feeds.Numbers(around, 10, 5, 0, 40.6, lambda _: None)

    asked = (kinds.Option("timezone", "the city's"),)
    kinds.KINDS["numbers"] = kinds.Kind("numbers", "anything", build, asked)
    bring(tmp_path / "w")
    bring(tmp_path / "v", new=NewWorkbook(timezone="Europe/Berlin"))
    bring(tmp_path / "v", new=NewWorkbook(timezone="Asia/Tokyo"))
    bring(workspace, another_city=True)
    assert zones == ["", "Europe/Berlin", "Europe/Berlin", "Europe/Athens"]
    (workspace / "FleetDesk.xlsx").write_bytes(b"broken off")
    with pytest.raises(WorkbookRefused, match=r"FleetDesk\.xlsx"):
        bring(workspace, another_city=True)
    bring(workspace, "timezone=Asia/Tokyo", another_city=True)
    kinds.KINDS["numbers"] = kinds.Kind("numbers", "anything", build)
    bring(workspace, another_city=True)
    assert zones[4:] == ["", ""], "given, or not asked for: no workbook is needed"


def test_amounts_are_taken_to_be_in_the_citys_currency_unless_said(tmp_path: Path) -> None:
    told: list[str | None] = []

    def build(place: str, around: Surroundings) -> feeds.Numbers:
        told.append(around.options.get("currency"))
        return feeds.Numbers(around, 10, 5, 0, 40.6, lambda _: None)

    asked = (kinds.Option("currency", "the city's"),)
    kinds.KINDS["numbers"] = kinds.Kind("numbers", "anything", build, asked)
    bring(tmp_path / "w", new=NewWorkbook(currency="CHF"))
    bring(tmp_path / "w", new=NewWorkbook(currency="USD"))
    bring(tmp_path / "w", "currency=EUR")
    assert told == ["CHF", "CHF", "EUR"], "the workbook's, once there is one"
    kinds.KINDS["numbers"] = kinds.Kind("numbers", "anything", build)
    bring(tmp_path / "w")
    assert told[-1] is None, "not asked for"
