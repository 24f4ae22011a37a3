"""What the published schemas allow comes in without loss; what they forbid is named by its field.

The examples are made from the JSON Schemas of 0.4.1 and 1.2.0 and the OpenAPI models of 2.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.sources.mds_examples import UUID, example, flat, schema_at, variants
from tests.sources.mds_import import Imported, imported

from fleetdesk.features.zones import polygons_of
from fleetdesk.sources.zone_rows import zone_table

pytestmark = pytest.mark.real_data
GEOJSON_ONLY = ("bbox", "id")  # members of a Feature that say nothing of a fleet


@dataclass(frozen=True)
class Case:
    """A schema, where in it the record is, how records are wrapped, and legal words to put in.

    `legal` are whole values of fields for which the schema alone tells too little.
    """

    schema: str
    inside: tuple[str, ...]
    version: str
    wrap: Callable[[list[Any]], Any]
    words: dict[str, Any] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    legal: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.schema.removesuffix(".json").removesuffix(".yaml")


def in_data(name: str, version: str) -> Callable[[list[Any]], Any]:
    return lambda records: {"version": version, "data": {name: records}}


def beside(name: str, version: str) -> Callable[[list[Any]], Any]:
    return lambda records: {"version": version, name: records}


def provider(schema: str, name: str, version: str, **rest: Any) -> Case:
    inside = ("properties", "data", "properties", name, "items")
    return Case(schema, inside, version, in_data(name, version), **rest)


def bare(records: list[Any]) -> Any:
    return records


SQUARE = [[-86.8, 36.1], [-86.7, 36.1], [-86.7, 36.2], [-86.8, 36.2], [-86.8, 36.1]]
OUTLINE = {
    "type": "FeatureCollection",
    "features": [{"type": "Feature", "properties": {},
                  "geometry": {"type": "MultiPolygon", "coordinates": [[SQUARE]]}}],
}  # fmt: skip
RULES = [{"name": "r", "rule_id": UUID, "rule_type": "count", "rule_units": "devices",
          "geographies": [UUID], "states": {"available": []}, "maximum": 0}]  # fmt: skip
KNOWN = zone_table([{  # the geography that the policies name
    "zone_id": UUID, "rule_id": "none", "ruleset": "MDS geographies", "rank": 0, "name": "g",
    "listed_at": datetime(2024, 1, 1),
    "outline": json.dumps(OUTLINE["features"][0]["geometry"]),  # type: ignore[index]
}])  # fmt: skip


def wrapped(records: list[Any]) -> Any:
    """Each geography in an object of its own, as the examples of 1.2 have them."""
    return {"version": "1.2.0", "geographies": [{"geography": record} for record in records]}


EVENT_0 = {"event_type": "available", "event_type_reason": "user_drop_off"}
EVENT_1 = {"vehicle_state": "available", "event_types": ["trip_end"]}
CASES = (
    provider("v0.4.1/provider/dockless/trips.json", "trips", "0.4.1", tables=("trips",)),
    provider("v0.4.1/provider/dockless/status_changes.json", "status_changes", "0.4.1",
             words=EVENT_0, tables=("events",)),
    provider("v0.4.1/provider/dockless/events.json", "status_changes", "0.4.1",
             words=EVENT_0, tables=("events",)),
    provider("v0.4.1/provider/dockless/vehicles.json", "vehicles", "0.4.1", words={
        "last_event_type": "available", "last_event_type_reason": "user_drop_off",
    }, tables=("telemetry",)),
    Case("v0.4.1/agency/post_vehicle.json", (), "0.4.1", bare),
    Case("v0.4.1/agency/get_vehicle.json", (), "0.4.1", bare, {"prev_event": "trip_end"}),
    Case("v0.4.1/agency/post_vehicle_event.json", (), "0.4.1", bare, {"event_type": "trip_end"},
         ("events",)),
    Case("v0.4.1/agency/post_vehicle_telemetry.json", ("properties", "data", "items"), "0.4.1",
         lambda records: {"data": records}, tables=("telemetry",)),
    provider("v1.2.0/provider/trips.json", "trips", "1.2.0", tables=("trips",)),
    provider("v1.2.0/provider/status_changes.json", "status_changes", "1.2.0", words=EVENT_1,
             tables=("events",)),
    provider("v1.2.0/provider/events.json", "status_changes", "1.2.0", words=EVENT_1,
             tables=("events",)),
    provider("v1.2.0/provider/vehicles.json", "vehicles", "1.2.0", words={
        "last_vehicle_state": "available", "last_event_types": ["trip_end"],
    }, tables=("telemetry",)),
    provider("v1.2.0/provider/stops.json", "stops", "1.2.0", tables=("parkings",)),
    Case("v1.2.0/agency/post_vehicle.json", (), "1.2.0", bare),
    Case("v1.2.0/agency/get_vehicle.json", (), "1.2.0", bare),
    Case("v1.2.0/agency/post_vehicle_event.json", (), "1.2.0", bare, EVENT_1, ("events",)),
    Case("v1.2.0/agency/post_vehicle_telemetry.json", ("properties", "data", "items"), "1.2.0",
         lambda records: {"data": records}, tables=("telemetry",)),
    Case("v1.2.0/agency/post_stops.json", ("properties", "stops", "items"), "1.2.0",
         lambda records: {"stops": records}, tables=("parkings",)),
    Case("openapi/models/trip.yaml", (), "2.0.0", beside("trips", "2.0.0"), tables=("trips",)),
    Case("openapi/models/event.yaml", (), "2.0.0", beside("events", "2.0.0"), EVENT_1,
         ("events",)),
    Case("openapi/models/telemetry.yaml", (), "2.0.0", beside("telemetry", "2.0.0"),
         tables=("telemetry",)),
    Case("openapi/models/vehicle.yaml", (), "2.0.0", beside("vehicles", "2.0.0")),
    Case("openapi/models/vehicle-status.yaml", (), "2.0.0", beside("vehicles_status", "2.0.0"),
         {"last_event": EVENT_1}, ("events", "telemetry")),
    Case("openapi/models/stop.yaml", (), "2.0.0", beside("stops", "2.0.0"), tables=("parkings",)),
    Case("v1.2.0/geography/geography.json", ("properties", "geography"), "1.2.0", wrapped,
         tables=("zones",), legal={"geography_json": OUTLINE}),
    Case("openapi/models/geography.yaml", (), "2.0.0", beside("geographies", "2.0.0"),
         tables=("zones",), legal={"geography_json": OUTLINE}),
    Case("v1.2.0/policy/policy.json", ("properties", "data", "properties", "policies", "items"),
         "1.2.0", in_data("policies", "1.2.0"), tables=("zones",), legal={"rules": RULES}),
    Case("openapi/models/policy.yaml", (), "2.0.0", beside("policies", "2.0.0"),
         tables=("zones",), legal={"rules": RULES, "mode_id": "micromobility"}),
)  # fmt: skip


def of(case: Case, shared_data: Path) -> tuple[Any, Any]:
    """The record's schema and a valid example."""
    schema = schema_at(shared_data / "mds" / case.schema)
    for name in case.inside:
        schema = schema[name]
    record = example(schema)
    for name, word in case.words.items():
        record[name] = record[name] | word if isinstance(word, dict) else word
    record |= case.legal
    for name in {"propulsion", "propulsion_type", "propulsion_types"} & record.keys():
        record[name] = ["electric"]  # the first word is one that gets a note
    return schema, record


def take(case: Case, records: list[Any], tmp_path: Path) -> Imported:
    path = tmp_path / "given.json"
    path.write_text(json.dumps(case.wrap(records)), encoding="utf-8")
    return imported(path, zones=KNOWN, version=case.version, currency="USD")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_valid_example_comes_in_without_loss(case: Case, shared_data: Path, tmp_path: Path):
    _, record = of(case, shared_data)
    found = take(case, [record], tmp_path)
    assert (found.report.rows_in, found.report.rows_kept) == (1, 1)
    assert found.report.notes == ()
    alone = case.tables in (("parkings",), ("zones",))
    assert set(found.tables) == {*case.tables} | (set() if alone else {"vehicles"})
    assert all(rows.num_rows == 1 for rows in found.tables.values())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_invalid_variant_is_reported_by_field_and_row(
    case: Case, shared_data: Path, tmp_path: Path
):
    schema, record = of(case, shared_data)
    unreported, tried = [], 0
    for variant in variants(schema, record):
        if variant.path.split(".")[-1] in GEOJSON_ONLY:
            continue
        tried += 1
        found = take(case, [record, variant.value], tmp_path)
        assert found.report.rows_in == 2
        told = [f"{entry.reason} ({'; '.join(entry.examples)})" for entry in found.report.dropped]
        told += found.report.notes
        named = [
            line for line in told
            if re.search(rf" {re.escape(variant.path)}", line.split(" (")[0])
            and "given.json row 2" in line and "given.json row 1" not in line
        ]  # fmt: skip
        if not named:
            unreported.append((str(variant), told))
    assert tried > 8
    assert not unreported


@pytest.mark.parametrize("case", [case for case in CASES if case.words], ids=str)
def test_a_word_that_no_schema_knows_is_reported(case: Case, shared_data: Path, tmp_path: Path):
    _, record = of(case, shared_data)
    for name, word in case.words.items():
        for path, strange in _strange(name, word):
            odd = json.loads(json.dumps(record))
            inner = odd[name] if "." in path else odd
            inner[path.split(".")[-1]] = strange
            found = take(case, [record, odd], tmp_path)
            told = " | ".join((*found.report.notes, *(d.reason for d in found.report.dropped)))
            assert path in told, told


def _strange(name: str, word: Any) -> list[tuple[str, Any]]:
    if isinstance(word, dict):
        return [(f"{name}.{inner}", _strange(inner, w)[0][1]) for inner, w in word.items()]
    return [(name, ["no-such-word"] if isinstance(word, list) else "no-such-word")]


def test_every_state_with_each_of_its_events_comes_in(shared_data: Path, tmp_path: Path):
    case = next(case for case in CASES if case.schema.endswith("models/event.yaml"))
    _, record = of(case, shared_data)
    model = schema_at(shared_data / "mds/openapi/models/modes/micromobility/event.yaml")
    records = [
        record
        | {
            "vehicle_state": branch["properties"]["vehicle_state"]["const"],
            "event_types": [event],
            "event_id": f"{number:08d}-{place:04d}-41e8-96f8-529269fb1459",
        }
        for number, branch in enumerate(model["oneOf"])
        for place, event in enumerate(branch["properties"]["event_types"]["items"]["enum"])
    ]
    found = take(case, records, tmp_path)
    assert len(records) > 40
    assert found.report.rows_kept == len(records)
    assert found.report.notes == ()
    rows = found.tables["events"].to_pylist()
    assert {(row["vehicle_state"], row["event_types"]) for row in rows} == {
        (given["vehicle_state"], given["event_types"][0]) for given in records
    }


@pytest.mark.parametrize("version", ["v0.4.1/provider/dockless", "v1.2.0/provider"])
def test_every_pair_that_a_status_change_may_have_comes_in(
    version: str, shared_data: Path, tmp_path: Path
):
    case = next(case for case in CASES if case.schema == f"{version}/status_changes.json")
    schema, record = of(case, shared_data)
    state, events = (
        ("event_type", "event_type_reason")
        if "0.4" in version
        else ("vehicle_state", "event_types")
    )
    branches = next(part["oneOf"] for part in schema["allOf"] if "oneOf" in part)
    records = []
    for branch in branches:
        fields = branch["properties"]
        first = fields[state].get("const") or fields[state]["enum"][0]
        words = fields[events].get("enum") or fields[events]["contains"]["enum"]
        records += [
            record | {state: first, events: word if "0.4" in version else [word]} for word in words
        ]
    found = take(case, records, tmp_path)
    assert len(records) >= 12
    assert found.report.rows_kept == len(records)
    assert found.report.notes == ()


def test_the_simulated_files_come_in_whole(shared_data: Path):
    found = imported(shared_data / "mds" / "mobility-metrics_simulated")
    report = found.report
    assert report.rows_in == 70
    assert report.rows_in == report.rows_kept + report.rows_dropped
    assert report.dropped == ()
    assert found.tables["trips"].num_rows == 5
    assert found.tables["events"].num_rows == 65
    states = found.tables["events"].column("vehicle_state").to_pylist()
    assert {state: states.count(state) for state in set(states)} == {
        "available": 51, "on_trip": 13, "non_operational": 1,
    }  # fmt: skip
    told = " ".join(report.notes)
    assert "tell no version" in told
    assert "provider_id, provider_name, vehicle_type: missing, in 65 rows" in told
    assert "end_time: not whole milliseconds, in 5 rows" in told


@pytest.mark.parametrize("version", ["v1.2.0", "v2.0.2"])
def test_the_published_geographies_come_in_with_their_outlines(version: str, shared_data: Path):
    found = imported(shared_data / "mds" / version / "geography" / "examples")
    report = found.report
    assert report.rows_in == report.rows_kept + report.rows_dropped
    # A stop is a point, and a point has no inside.
    assert {entry.reason for entry in report.dropped} == {
        "geographies geography_json.features: no polygon"
    }
    assert len(found.rows("zones")) == 4  # several files repeat an id
    assert all(polygons_of(row["outline"]) for row in found.rows("zones"))


@pytest.mark.parametrize(
    ("name", "matters"),
    [
        ("prohibited-zone", {"parking_allowed": False, "ride_start_allowed": False,
                             "ride_through_allowed": False}),
        ("required-parking", {"parking_allowed": True}),
        ("speed-limits", {"speed_limit_kmh": 16.093, "days": "sat+sun",
                          "from_time": "12:00:00", "to_time": "23:59:59"}),
    ],
)  # fmt: skip
def test_the_published_policies_rule_the_zones_they_name(
    name: str, matters: dict[str, Any], shared_data: Path
):
    path = shared_data / "mds/v1.2.0/policy/examples" / f"{name}.json"
    policy = json.loads(path.read_text())["data"]["policies"][0]
    rule = policy["rules"][0]
    known = KNOWN.set_column(0, "zone_id", [[rule["geographies"][0]]])
    found = imported(path, zones=known)
    assert found.report.rows_kept == 1
    (row,) = found.rows("zones")
    assert row["rule_id"] == rule["rule_id"] and row["name"] == rule["name"]
    assert row["ruleset"] == f"MDS policy {policy['policy_id']}"
    assert {key: row[key] for key in matters} == matters
    assert row["vehicle_types"] is None and row["outline"] == known.to_pylist()[0]["outline"]


@pytest.mark.parametrize("name", ["idle-time", "per-trip-fees", "provider-cap"])
def test_policies_that_rule_no_zone_are_left_out(name: str, shared_data: Path):
    report = imported(shared_data / "mds/v1.2.0/policy/examples" / f"{name}.json").report
    assert report.rows_kept == 0
    (entry,) = report.dropped
    assert "policies rules" in entry.reason


def test_jurisdictions_are_declined_in_a_sentence(shared_data: Path):
    path = shared_data / "mds" / "v1.2.0/jurisdiction/examples/jurisdictions.json"
    (entry,) = imported(path).report.dropped
    assert "of MDS, which are not needed here" in entry.reason


def test_the_schemas_say_what_the_examples_were_made_from(shared_data: Path):
    trip = flat(schema_at(shared_data / "mds/openapi/models/trip.yaml"))
    assert {"provider_id", "start_location", "duration"} <= set(trip["required"])
    assert trip["properties"]["trip_type"]["items"]["enum"] == ["rider", "rebalance", "maintenance"]
