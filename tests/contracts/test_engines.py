"""Every table expression gives the same rows on DuckDB, PostgreSQL and Spark, and so the same plan.

Keys are equal, floats within 1e-9 of each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.features.expressions import KEYS, expressions
from tests.services.postgres import PostgresServer
from tests.services.spark import needs_spark

from fleetdesk.features.cells import geohash_many
from fleetdesk.fleet import method_v0
from fleetdesk.fleet.counts import count
from fleetdesk.fleet.history import History
from fleetdesk.fleet.kpis import kpis
from fleetdesk.model.places import Point
from fleetdesk.model.tables import TABLES
from fleetdesk.settings.schema import Settings
from fleetdesk.settings.starter import starter_settings
from fleetdesk.simulation.city import demo_city
from fleetdesk.simulation.generate import dimensions, generate
from fleetdesk.store.base import Store
from fleetdesk.store.open import open_any
from fleetdesk.workflows.plan_day import plan_day
from fleetdesk.workflows.workspace import parking_row

SEED = 5
ENGINES = ("postgres", "spark")
END = datetime(2026, 6, 16, 19, tzinfo=UTC)
START = END - timedelta(days=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small city on this computer, whose pings also stand for a public feed's sightings."""
    path = tmp_path_factory.mktemp("engines") / "store"
    spec = demo_city(vehicles=25, days=3, end_day=date(2026, 6, 16), demand_per_vehicle=6.0)
    with open_any("", path, create=True) as store, store.new_generation("city") as generation:
        for name, rows in dimensions(spec, SEED).items():
            generation.append(name, rows)
        for batch in generate(spec, SEED):
            for name, rows in batch.tables.items():
                generation.append(name, rows)
            generation.append("sightings", as_sightings(batch.tables["telemetry"]))
    return path


def as_sightings(pings: pa.Table) -> pa.Table:
    """Pings as five-minute snapshots, with an hour in which the whole feed was silent."""
    chance = np.random.default_rng(SEED)
    at = np.asarray(pings["recorded_at"]).astype("datetime64[s]").astype(np.int64) // 300 * 300
    minute = at // 60 % 1440
    kept = (minute < 600) | (minute >= 660)
    rows = pa.table(
        {
            "vehicle_id": pings["vehicle_id"],
            "seen_at": pa.array(at.astype("datetime64[s]").astype("datetime64[us]")),
            "last_reported_at": pings["recorded_at"],
            "lat": pings["lat"],
            "lon": pings["lon"],
            "cell": pa.array(geohash_many(pings["lat"], pings["lon"], 7), pa.string()),
            "range_m": pa.array(np.asarray(pings["battery_pct"]) * 400.0),
            "battery_pct": pings["battery_pct"],
            "is_reserved": chance.random(len(at)) < 0.02,
            "is_disabled": chance.random(len(at)) < 0.02,
            "vehicle_type": pa.nulls(len(at), pa.string()),
        }
    )
    return rows.filter(pa.array(kept))


@pytest.fixture(scope="module")
def here(folder: Path) -> Iterator[Store]:
    with open_any("", folder) as store:
        yield store


@pytest.fixture(scope="module", params=ENGINES)
def there(request: pytest.FixtureRequest, folder: Path, here: Store) -> Iterator[Store]:
    """The same records on another engine."""
    if request.param == "spark":
        needs_spark()
        with open_any("spark:local", folder) as store:
            yield store
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with open_any(server.new_database(), folder, create=True) as store:
        with store.new_generation("the same") as generation:
            for name in TABLES:
                generation.append(name, here.tables()[name].to_pyarrow())
        yield store


@pytest.fixture(scope="module")
def settings(here: Store) -> Settings:
    parkings = here.tables()["parkings"].to_pyarrow().to_pylist()
    events = here.tables()["events"]
    centre = Point(events.lat.mean().execute(), events.lon.mean().execute())
    found = starter_settings(
        "Toy town", "Europe/Athens", "EUR", centre=centre,
        parkings=[parking_row(row) for row in parkings],
    )  # fmt: skip
    # The toy town has vehicles to spare: at fleet level no task would be worth the drive.
    thresholds = found.thresholds.model_copy(update={"roi_level": "scooter"})
    return found.model_copy(update={"thresholds": thresholds})


@pytest.fixture(scope="module")
def expected(here: Store, settings: Settings) -> dict[str, pa.Table]:
    found = expressions(here.tables(), settings, START, END)
    return {name: ordered(name, rows.to_pyarrow()) for name, rows in found.items()}


@pytest.fixture(scope="module")
def written(there: Store, settings: Settings) -> dict[str, Any]:
    """The expressions over the other engine's tables; to write them takes longer than to ask."""
    return expressions(there.tables(), settings, START, END)


def ordered(name: str, rows: pa.Table) -> pa.Table:
    keys = [(key, "ascending") for key in KEYS[name]]
    return rows.sort_by(keys) if keys else rows


def assert_alike(found: pa.Table, wanted: pa.Table, where: str) -> None:
    assert found.schema.names == wanted.schema.names, where
    assert found.num_rows == wanted.num_rows, where
    for name in wanted.schema.names:
        one, other = found[name].combine_chunks(), wanted[name].combine_chunks()
        assert one.type == other.type, f"{where}.{name}"
        assert one.is_null().equals(other.is_null()), f"{where}.{name}"
        if pa.types.is_floating(other.type):
            a, b = np.asarray(one.drop_null()), np.asarray(other.drop_null())
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=f"{where}.{name}")
        else:
            assert one.equals(other), f"{where}.{name}"


@pytest.mark.parametrize("name", sorted(KEYS))
def test_an_expression_gives_the_same_rows(
    name: str, written: Mapping[str, Any], expected: Mapping[str, pa.Table]
) -> None:
    found = written[name].to_pyarrow()
    assert expected[name].num_rows > 0
    assert_alike(ordered(name, found), expected[name], name)


def test_the_rates_and_figures_are_the_same(here: Store, there: Store, settings: Settings) -> None:
    histories = [
        History(store.tables()["events"], store.tables()["trips"], END) for store in (here, there)
    ]
    learnt = [method_v0.estimate(history, settings) for history in histories]
    assert close(learnt[0].rates, learnt[1].rates) and learnt[0].rates
    assert close(learnt[0].regions, learnt[1].regions)
    counted = [count(history, settings) for history in histories]
    parts = [{**vars(counts), **vars(counts.stock)} for counts in counted]
    for name in parts[0].keys() - {"stock"}:
        one, other = (part[name] for part in parts)
        if isinstance(one, tuple):
            assert one == other
        else:
            np.testing.assert_array_equal(one, other, err_msg=name)
    figures = [kpis(store.tables(), (), (), settings, END) for store in (here, there)]
    for one, other in zip(*figures, strict=True):
        assert replace(one, value=None) == replace(other, value=None)
        assert (one.value is None) == (other.value is None), one.name
        assert one.value is None or one.value == pytest.approx(other.value, rel=1e-9, abs=1e-9)


def close(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    assert one.keys() == other.keys()
    names = next(iter(one.values())).__slots__
    return all(
        getattr(one[key], name) == pytest.approx(getattr(other[key], name), rel=1e-9, abs=1e-9)
        for key in one
        for name in names
    )


# On Spark a plan takes a minute and is made of the same expressions.
@pytest.mark.parametrize("there", ["postgres"], indirect=True)
def test_the_day_is_planned_alike(here: Store, there: Store, settings: Settings) -> None:
    plans = [plan_day(store, settings) for store in (here, there)]
    assert plans[0].tasks and plans[0].plan.routes
    assert plans[0].plan == plans[1].plan
    assert [task.task_id for task in plans[0].tasks] == [task.task_id for task in plans[1].tasks]
