"""A rider who wants to be forgotten is in no file of the store, and nobody else is touched."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from fleetdesk.apps.cli import cli
from fleetdesk.store.duckdb_store import open_store
from fleetdesk.workflows.refresh import import_source
from fleetdesk.workflows.status import status
from fleetdesk.workflows.workspace import NewWorkbook

HEADER = "payment_id,rider_id,due_at,paid_at,amount,payment_kind\n"


@pytest.fixture
def town(tmp_path: Path) -> Path:
    for number, day in enumerate((1, 2)):
        tables = tmp_path / f"tables{number}"
        tables.mkdir()
        rows = "".join(
            f"{rider}{day},{rider},2024-05-0{day}T10:00:00Z,,5,trip\n" for rider in ("ann", "bob")
        )
        (tables / "payments.csv").write_text(HEADER + rows)
        import_source("tables", str(tables), tmp_path / "town", NewWorkbook())
    return tmp_path / "town"


def given(*words: str) -> tuple[int, dict[str, object]]:
    result = CliRunner().invoke(cli, [*words, "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_all_rows_of_the_rider_go_from_every_file(town: Path) -> None:
    code, would = given("forget", "ann", str(town), "--dry-run")
    assert code == 0 and would["rows"] == {"payments": 2}
    name = str(would["pseudonym"])
    assert holding(town, name) and name.startswith("rp-")
    code, done = given("forget", "ann", str(town))
    assert code == 0 and done["rows"] == {"payments": 2} and done["still_read"] == []
    assert not holding(town, name)
    with open_store(town / "store") as store:
        left = store.tables()["payments"].rider_id.to_pyarrow().to_pylist()
        assert len(left) == 2 and name not in left
        store.verify()
    assert given("forget", name, str(town))[1]["rows"] == {}  # the pseudonym does as well
    sources = status(town).as_dict()["sources"]
    assert len(sources) == 2 and {source["rows"] for source in sources} == {2}


def test_who_reads_older_records_is_told_of(town: Path) -> None:
    with open_store(town / "store") as reader:
        code, done = given("forget", "ann", str(town))
        assert code == 0 and done["still_read"] == [reader.generation]
        assert "still reads" in str(done["text"])
    name = str(done["pseudonym"])
    assert holding(town, name)
    assert given("forget", "ann", str(town))[1]["still_read"] == []
    assert not holding(town, name)


def test_a_workspace_without_riders_says_so(tmp_path: Path) -> None:
    tables = tmp_path / "tables"
    tables.mkdir()
    (tables / "weather.csv").write_text(
        "hour_at,temperature_c,rain_mm,wind_kmh\n2024-05-01T00:00:00Z,1,0,0\n"
    )
    import_source("tables", str(tables), tmp_path / "town", NewWorkbook())
    code, said = given("forget", "ann", str(tmp_path / "town"))
    assert code == 1 and "No rider has been imported" in str(said["cause"])


def test_made_up_riders_of_a_sample_city_go_by_their_plain_ids(workspace: Path) -> None:
    with open_store(workspace / "store") as store:
        trips = store.tables()["trips"]
        rider = trips.filter(trips.rider_id.notnull()).rider_id.min().to_pyarrow().as_py()
    code, would = given("forget", rider, str(workspace), "--dry-run")
    assert code == 0 and would["pseudonym"] == rider and "trips" in dict(would["rows"])
    assert given("forget", rider, str(workspace))[1]["rows"] == would["rows"]
    with open_store(workspace / "store") as store:
        trips = store.tables()["trips"]
        assert trips.filter(trips.rider_id == rider).count().to_pyarrow().as_py() == 0


def holding(town: Path, name: str) -> list[Path]:
    """The files of any generation that hold the rider."""
    return [
        path
        for path in (town / "store" / "generations").rglob("payments/*.parquet")
        if name in pq.read_table(path).column("rider_id").to_pylist()
    ]
