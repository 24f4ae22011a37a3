"""What a plan may rest on: sound records, completed by what pings tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fleetdesk.features.cycles import cycles, timeline
from fleetdesk.features.trips import priced
from fleetdesk.model.findings import Done
from fleetdesk.settings.starter import starter_settings
from fleetdesk.simulation.city import demo_city
from fleetdesk.simulation.generate import generate
from fleetdesk.store.base import Store
from fleetdesk.store.open import open_any
from fleetdesk.workflows.known import known

SETTINGS = starter_settings("Toy town", "Europe/Athens", "EUR")
NAMES = ("events", "trips", "telemetry")


@pytest.fixture(scope="module")
def sound() -> dict[str, pa.Table]:
    """Three days of a small city."""
    parts: dict[str, list[pa.Table]] = {name: [] for name in NAMES}
    for batch in generate(demo_city(vehicles=12, days=2, end_day=date(2026, 6, 16)), 3):
        for name in NAMES:
            parts[name].append(batch.tables[name])
    return {name: pa.concat_tables(tables) for name, tables in parts.items()}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    opened: list[Store] = []

    def make(tables: dict[str, pa.Table]) -> Store:
        folder = tmp_path / str(len(opened))
        one = open_any("", folder, create=True)
        opened.append(one)
        with one.new_generation("made") as generation:
            for name, rows in tables.items():
                generation.append(name, rows)
        return one

    yield make
    for one in opened:
        one.close()


def with_rows(table: pa.Table, *rows: dict[str, Any]) -> pa.Table:
    """The table and copies of its first row, changed."""
    first = table.slice(0, 1).to_pylist()[0]
    return pa.concat_tables([table, pa.Table.from_pylist([first | row for row in rows],
                                                         schema=table.schema)])  # fmt: skip


def ledger(record: Any) -> list[dict[str, Any]]:
    trips = priced(record.tables["trips"], SETTINGS.costs)
    rows = cycles(
        timeline(record.tables["events"], record.moment.as_of), trips, record.moment.as_of
    ).to_pyarrow()
    return rows.sort_by([("vehicle_id", "ascending"), ("cycle_no", "ascending")]).to_pylist()


def test_broken_rows_change_neither_the_day_nor_the_ledger_and_are_told(store, sound):
    trip = sound["trips"].slice(0, 1).to_pylist()[0]
    far = datetime(2099, 1, 1)
    messy = dict(sound)
    messy["events"] = with_rows(
        sound["events"],
        {"event_id": "future", "event_at": far},
        {"event_id": "next week", "event_at": datetime(2026, 6, 22)},
        {"event_id": "again"},
    )
    messy["trips"] = with_rows(
        sound["trips"],
        {"trip_id": "refund", "revenue": -5.0},
        {"trip_id": "backwards", "ended_at": trip["started_at"] - timedelta(hours=1)},
        {"trip_id": "stranger", "vehicle_id": "nobody"},
    )
    clean, other = known(store(sound), SETTINGS), known(store(messy), SETTINGS)
    assert clean.findings == ()
    assert other.moment == clean.moment
    assert ledger(other) == ledger(clean)
    assert {(f.table, f.done, f.rows) for f in other.findings} == {
        ("events", Done.LEFT_OUT, 2), ("events", Done.LEFT_OUT, 1), ("trips", Done.LEFT_OUT, 1),
    }  # fmt: skip
    assert sum(f.rows for f in other.findings) == 6
    assert {e for f in other.findings for e in f.examples} >= {"future", "refund", "stranger"}


def test_vehicles_without_events_are_followed_by_their_pings(store, sound):
    whole = ledger(known(store(sound), SETTINGS))
    silent = sorted(set(sound["events"]["vehicle_id"].to_pylist()))[:5]
    of_silent = pc.is_in(sound["events"]["vehicle_id"], pa.array(silent))
    rest = sound | {"events": sound["events"].filter(pc.invert(of_silent))}
    found = ledger(known(store(rest), SETTINGS))
    assert [row for row in found if row["vehicle_id"] not in silent] == [
        row for row in whole if row["vehicle_id"] not in silent
    ]
    for vehicle in silent:
        hours, expected = (
            sum(row["operational_h"] for row in rows if row["vehicle_id"] == vehicle)
            for rows in (found, whole)
        )
        assert hours == pytest.approx(expected, rel=0.15)
        rows = [row for row in found if row["vehicle_id"] == vehicle]
        assert rows and not any(row["start_declared"] for row in rows)
        rode, taken = (
            sum(row["trips"] for row in rows_of if row["vehicle_id"] == vehicle)
            for rows_of in (found, whole)
        )
        assert rode == pytest.approx(taken, abs=2)
