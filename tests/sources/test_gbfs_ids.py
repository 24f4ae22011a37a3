"""Ids that rotate are recognised, and nothing that never happened is made of them."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.sources.gbfs_kit import T0, TYPES, Got, Town, around, kept, lay, taken, vehicle
from tests.sources.gbfs_kit import feed as feed_of

from fleetdesk.features.cycles import cycles, timeline
from fleetdesk.features.sightings import inferred_events, inferred_trips
from fleetdesk.features.trips import priced
from fleetdesk.features.vehicles import vehicles_now
from fleetdesk.model.fleet import ONCE
from fleetdesk.settings.schema import Settings
from fleetdesk.sources.gbfs import Gbfs
from fleetdesk.sources.gbfs_ids import IdEvidence, Verdict, feed_id
from fleetdesk.store.duckdb_store import DuckDbStore, open_store

SETTINGS = Settings()
LATER = T0 + 9000  # after the thirty snapshots of a folder
ROTATING = ("trips", "snapshots", "numbers")


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with open_store(tmp_path / "store", create=True) as opened:
        yield opened


def folder_of(tmp_path: Path, fashion: str, snapshots: int = 30) -> Path:
    answers = {f"vehicles/{number:03}.json": feed
               for number, feed in enumerate(Town(fashion).feeds(snapshots))}  # fmt: skip
    return lay(tmp_path / fashion, {"vehicle_types.json": TYPES, **answers})


def inferred(store: DuckDbStore) -> tuple[list[Any], list[Any]]:
    sightings = store.tables()["sightings"]
    return (
        inferred_trips(sightings, SETTINGS).to_pyarrow().to_pylist(),
        inferred_events(sightings, SETTINGS).to_pyarrow().to_pylist(),
    )


def one_by_one(tmp_path: Path, store: DuckDbStore, fashion: str, snapshots: int) -> list[Got]:
    """Each snapshot in an import of its own, which knows only the store of before."""
    got = []
    for number, feed in enumerate(Town(fashion).feeds(snapshots)):
        place = lay(tmp_path / f"{number}", {"vehicles.json": feed})
        got.append(kept(store, Gbfs(place, around(tmp_path, tables=store.tables()))))
    return got


def test_ids_that_last_give_trips(tmp_path: Path, store: DuckDbStore) -> None:
    got = kept(store, Gbfs(folder_of(tmp_path, "lasting"), around(tmp_path)))
    assert not any(ONCE in name for name in got.ids)
    assert len(got.tables["vehicles"]) == 80
    assert any(note.startswith("Vehicle ids last") for note in got.report.notes)
    trips, _ = inferred(store)
    town = Town("lasting")
    ridden = town.feeds(30) and sum(town.trips)
    assert len(trips) == pytest.approx(ridden, abs=12)  # those under way at both ends are not seen


@pytest.mark.parametrize("fashion", ROTATING)
def test_ids_that_rotate_give_the_present_and_nothing_else(
    tmp_path: Path, store: DuckDbStore, fashion: str
) -> None:
    got = kept(store, Gbfs(folder_of(tmp_path, fashion), around(tmp_path)))
    assert any("Vehicle ids rotate" in note for note in got.report.notes)
    assert got.report.rows_kept == got.report.rows_in
    assert len(got.ids) == len(set(got.ids)) and all(ONCE in name for name in got.ids)
    assert "vehicles" not in got.tables
    newest = max(row["seen_at"] for row in got.tables["sightings"])
    standing = [row for row in got.tables["sightings"] if row["seen_at"] == newest]
    trips, events = inferred(store)
    assert trips == []
    assert len(events) == len(standing)
    assert {(row["event_types"], row["event_at"]) for row in events} == {("comms_restored", newest)}
    tables = store.tables()
    told = inferred_events(tables["sightings"], SETTINGS)
    end = newest.replace(tzinfo=UTC) + timedelta(seconds=1)
    rides = priced(inferred_trips(tables["sightings"], SETTINGS), SETTINGS.costs)
    ledger = cycles(timeline(told, end), rides, end).to_pyarrow().to_pylist()
    assert all(row["operational_h"] < 0.001 and not row["trips"] for row in ledger)
    now = vehicles_now(told, tables["telemetry"], tables["sightings"], tables["trips"], end)
    assert now.count().to_pyarrow().as_py() == len(standing)


@pytest.mark.parametrize("fashion", ROTATING)
def test_rotation_is_seen_across_imports_of_one_snapshot_each(
    tmp_path: Path, store: DuckDbStore, fashion: str
) -> None:
    got = one_by_one(tmp_path, store, fashion, 20)
    assert all(ONCE in name for one in got for name in one.ids)
    assert any("Vehicle ids rotate" in note for note in got[-1].report.notes)
    trips, events = inferred(store)
    assert trips == [] and len(events) == len(got[-1].ids)


def test_lasting_ids_are_proven_across_imports_of_one_snapshot_each(
    tmp_path: Path, store: DuckDbStore
) -> None:
    got = one_by_one(tmp_path, store, "lasting", 20)
    stamped = [all(ONCE in name for name in one.ids) for one in got]
    assert stamped[0] and stamped == sorted(stamped, reverse=True)
    assert 1 <= sum(stamped) <= 6
    assert not any(ONCE in name for one in got[6:] for name in one.ids)
    assert not any(
        ONCE in row["vehicle_id"] for row in store.tables()["vehicles"].to_pyarrow().to_pylist()
    )
    trips, events = inferred(store)
    assert trips and not any(ONCE in row["vehicle_id"] for row in events)


def test_a_quiet_night_does_not_unlearn_that_ids_last(tmp_path: Path, store: DuckDbStore) -> None:
    kept(store, Gbfs(folder_of(tmp_path, "lasting"), around(tmp_path)))
    quiet = Town("lasting", share=0.0).snapshot()
    later = {f"{n}/vehicles.json": feed_of(quiet, LATER + 60 * n) for n in range(60)}
    for place in (lay(tmp_path / "night", later), tmp_path / "night" / "59"):
        got = kept(store, Gbfs(place, around(tmp_path, tables=store.tables())))
        assert got.ids and not any(ONCE in name for name in got.ids)


def test_the_first_snapshot_proves_nothing(tmp_path: Path) -> None:
    got = taken(Gbfs(lay(tmp_path / "f", {"a.json": feed_of([vehicle("v1")])}), around(tmp_path)))
    assert got.ids == ["v1@once-20240501T110000"] and feed_id(got.ids[0]) == "v1"
    assert any("not known yet" in note for note in got.report.notes)


def test_a_verdict_stands_until_there_is_evidence_against_it() -> None:
    def shown(evidence: IdEvidence, names: list[str], north_m: list[float]) -> Verdict:
        evidence.see(names, 50 + np.array(north_m) / 111_195, np.full(len(names), 9.0))
        return evidence.verdict

    names = [f"v{number}" for number in range(40)]
    spots = [100.0 * number for number in range(40)]
    rotating = IdEvidence(Verdict.ROTATING)
    shown(rotating, names, spots)
    # A van carries four vehicles elsewhere: no proof that trips leave ids alone.
    assert shown(rotating, names, [9000.0 + n if n < 400 else n for n in spots]) is Verdict.ROTATING
    new = IdEvidence()
    shown(new, names, spots)
    assert shown(new, names, [9000.0 + n if n < 400 else n for n in spots]) is Verdict.LASTING
    lasting = IdEvidence(Verdict.LASTING)
    shown(lasting, names, spots)
    assert shown(lasting, names, spots) is Verdict.LASTING
    assert shown(lasting, [f"w{n}" for n in range(40)], spots) is Verdict.ROTATING
    assert lasting.stood == 80 and lasting.kept == 40


def test_vehicles_at_one_rack_are_no_evidence() -> None:
    evidence = IdEvidence()
    for snapshot in range(2):
        names = [f"{snapshot}-{number}" for number in range(30)]
        evidence.see(names, np.full(30, 50.0), np.full(30, 9.0))
    assert evidence.stood == 0
