"""The records are whole, of the canonical form, and the same each time."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from fleetdesk.errors import FleetDeskError
from fleetdesk.features.cells import geohash_many
from fleetdesk.model.places import geohash
from fleetdesk.model.tables import TABLES, DType
from fleetdesk.simulation.city import CitySpec, demo_city, tiny_city
from fleetdesk.simulation.generate import generate

STREAMED = {
    "events", "trips", "telemetry", "service_tasks", "payments", "rider_swaps", "complaints",
    "weather", "ratings",
}  # fmt: skip
AT_THE_END = {"subscriptions", "offers_made", "battery_checks"}
ARROW = {
    DType.STRING: pa.string(),
    DType.INT: pa.int64(),
    DType.FLOAT: pa.float64(),
    DType.BOOL: pa.bool_(),
    DType.TIMESTAMP: pa.timestamp("us"),
}


# What others publish or planners keep, which a town of one's own does not make.
PUBLISHED = {"sightings", "holidays", "zones", "price_plans"}


@pytest.mark.parametrize("name", sorted(set(TABLES) - PUBLISHED))
@pytest.mark.parametrize("size", ["tiny", "town"])
def test_every_table_has_the_canonical_columns(request, size, name):
    table = request.getfixturevalue(size).tables[name]
    assert table.column_names == list(TABLES[name].column_names)
    for column in TABLES[name].columns:
        assert table.schema.field(column.name).type == ARROW[column.dtype], column.name
        if not column.nullable:
            assert table[column.name].null_count == 0, column.name
    assert not any(table[c.name].null_count == len(table) > 20 for c in TABLES[name].columns)


@pytest.mark.parametrize("name", sorted(set(TABLES) - PUBLISHED))
def test_keys_are_unique(town, name):
    rows = list(zip(*(town.tables[name][key].to_pylist() for key in TABLES[name].key), strict=True))
    assert len(rows) == len(set(rows)) > 0


def test_each_batch_holds_one_utc_day_and_all_streamed_tables(town):
    for number, batch in enumerate(town.batches):
        assert set(batch.tables) - AT_THE_END == STREAMED
        assert batch.day == town.spec.first_day + timedelta(days=number)
        for name in STREAMED:
            for moment in batch.tables[name][TABLES[name].time_column].to_pylist():
                assert moment.date() == batch.day
                assert moment < town.spec.ends_at
    assert set(town.batches[-1].tables) >= AT_THE_END
    assert batch.day == town.spec.end_day


def test_same_spec_and_seed_give_the_same_bytes():
    assert _digest(3) == _digest(3)
    assert _digest(3) != _digest(4)


def test_bytes_do_not_depend_on_the_hash_seed():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); "
        "import test_generate; print(test_generate._digest(3))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).parent)],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }
    assert found == {_digest(3)}


def test_a_longer_city_begins_like_a_shorter_one():
    long = demo_city(vehicles=12, days=3)
    short = CitySpec(**{**_fields(long), "days": 1, "end_day": long.first_day, "end_hour_utc": 24})
    same = {"signups_per_day": 0.0}
    first = next(iter(generate(CitySpec(**_fields(long) | same), 5)))
    only = next(iter(generate(CitySpec(**_fields(short) | same), 5)))
    assert first.tables["events"].equals(only.tables["events"])
    assert first.tables["telemetry"].equals(only.tables["telemetry"])


def test_progress_is_told_once_a_day():
    told = []
    for _ in generate(tiny_city(), 1, lambda done, total: told.append((done, total))):
        pass
    assert told == [(1, 2), (2, 2)]


def test_cells_agree_with_the_model(tiny):
    events = tiny.tables["events"]
    for row in events.slice(0, 50).to_pylist():
        assert row["cell"] == geohash(row["lat"], row["lon"], 7)
    assert geohash_many([40.63], [22.94], 7)[0] == geohash(40.63, 22.94, 7)


def test_an_impossible_city_is_refused():
    with pytest.raises(FleetDeskError, match="vehicles = 0"):
        demo_city(vehicles=0)


def _digest(seed: int) -> str:
    digest = hashlib.sha256()
    for batch in generate(demo_city(vehicles=20, days=2), seed):
        for name in sorted(batch.tables):
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, batch.tables[name].schema) as writer:
                writer.write_table(batch.tables[name])
            digest.update(name.encode() + sink.getvalue().to_pybytes())
    return digest.hexdigest()


def _fields(spec: CitySpec) -> dict:
    return {name: getattr(spec, name) for name in CitySpec.__dataclass_fields__}
