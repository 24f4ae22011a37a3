"""Geographies and policies of MDS meet in the table of zones, in whatever order they come."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.sources.mds_import import Imported, imported

from fleetdesk.features.zones import forbidden
from fleetdesk.sources.zone_rows import zone_table

PLACE, OTHER = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "ab")
RULE, POLICY, OLD = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "cde")
APRIL = int(datetime(2024, 4, 1, tzinfo=UTC).timestamp() * 1000)
SQUARE = [[22.0, 40.0], [23.0, 40.0], [23.0, 41.0], [22.0, 41.0], [22.0, 40.0]]
HOLE = [[22.4, 40.4], [22.6, 40.4], [22.6, 40.6], [22.4, 40.6], [22.4, 40.4]]
MAY = datetime(2024, 5, 1, 12, tzinfo=UTC)


def geography(name: str = PLACE, **given: Any) -> dict[str, Any]:
    feature = {"type": "Feature", "properties": {},
               "geometry": {"type": "Polygon", "coordinates": [SQUARE, HOLE]}}  # fmt: skip
    return {
        "geography_id": name, "name": "Centre", "published_date": APRIL,
        "geography_json": {"type": "FeatureCollection", "features": [feature]}, **given,
    }  # fmt: skip


def rule(**given: Any) -> dict[str, Any]:
    return {
        "name": "No parking", "rule_id": RULE, "rule_type": "count", "rule_units": "devices",
        "geographies": [PLACE], "states": {"available": ["trip_end"]}, "maximum": 0, **given,
    }  # fmt: skip


def policy(*rules: dict[str, Any], **given: Any) -> dict[str, Any]:
    return {
        "policy_id": POLICY, "name": "Parking", "description": "d", "mode_id": "micromobility",
        "start_date": APRIL, "published_date": APRIL, "rules": list(rules or [rule()]), **given,
    }  # fmt: skip


def page(tmp_path: Path, name: str, **lists: list[Any]) -> Path:
    path = tmp_path / "pages" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"version": "2.0.0", **lists}))
    return path


def ruled(found: Imported) -> list[dict[str, Any]]:
    return [row for row in found.rows("zones") if row["rule_id"] != "none"]


@pytest.mark.parametrize("first", ["geographies", "policies"])
def test_a_policy_meets_its_geography_in_either_order(tmp_path: Path, first: str):
    last = {"geographies": "policies", "policies": "geographies"}[first]
    both = {"geographies": [geography()], "policies": [policy()]}
    page(tmp_path, "1", **{first: both[first]})
    page(tmp_path, "2", **{last: both[last]})
    found = imported(tmp_path / "pages")
    assert found.report.rows_in == found.report.rows_kept == 2
    assert found.report.notes == ()
    (row,) = ruled(found)
    assert (row["zone_id"], row["rule_id"], row["name"]) == (PLACE, RULE, "No parking")
    assert row["parking_allowed"] is False and row["ride_start_allowed"] is None
    assert row["valid_from"] == datetime(2024, 4, 1) and row["valid_to"] is None
    table = found.tables["zones"]
    inside, in_hole, outside = (40.1, 22.1), (40.5, 22.5), (42.0, 22.1)
    lat, lon = zip(inside, in_hole, outside, strict=True)
    stopped = forbidden(table, "parking_allowed", lat, lon, at=MAY, timezone="Europe/Athens")
    assert stopped.tolist() == [True, False, False]


def test_a_geography_of_an_earlier_import_is_remembered(tmp_path: Path):
    before = imported(page(tmp_path, "places", geographies=[geography()]))
    after = imported(page(tmp_path, "rules", policies=[policy()]), zones=before.tables["zones"])
    assert [row["outline"] for row in ruled(after)] == [before.rows("zones")[0]["outline"]]


def test_a_policy_whose_geographies_nobody_knows_is_left_out(tmp_path: Path):
    report = imported(page(tmp_path, "rules", policies=[policy()])).report
    assert (report.rows_in, report.rows_kept) == (1, 0)
    (entry,) = report.dropped
    assert "none is known; import the geographies first" in entry.reason
    assert entry.examples == ("rules.json row 1",)


def test_a_policy_ends_those_that_it_replaces(tmp_path: Path):
    old = zone_table([{
        "zone_id": PLACE, "rule_id": "old", "ruleset": f"MDS policy {OLD}", "rank": 0,
        "name": "n", "listed_at": datetime(2024, 1, 1), "parking_allowed": False,
    }])  # fmt: skip
    path = page(tmp_path, "1", geographies=[geography()], policies=[policy(prev_policies=[OLD])])
    rows = {row["rule_id"]: row for row in imported(path, zones=old).rows("zones")}
    assert rows["old"]["valid_to"] == datetime(2024, 4, 1)
    assert rows[RULE]["valid_to"] is None


def test_rules_keep_their_order_and_what_is_no_zones_rule_is_told(tmp_path: Path):
    rules = [
        rule(rule_id=OTHER, maximum=None, minimum=0),
        rule(rule_id=OLD, maximum=500),
        rule(rule_type="speed", rule_units="mph", maximum=10, states={"on_trip": []},
             vehicle_types=["bicycle"], days=["sat"], start_time="25:00:00"),
    ]  # fmt: skip
    path = page(tmp_path, "1", geographies=[geography()], policies=[policy(*rules)])
    found = imported(path)
    told = {row["rank"]: row for row in ruled(found)}
    assert sorted(told) == [0, 2]
    assert told[0]["parking_allowed"] is True
    assert told[2]["speed_limit_kmh"] == 16.093 and told[2]["vehicle_types"] == "bicycle"
    assert told[2]["days"] == "sat" and told[2]["from_time"] is None
    notes = " | ".join(found.report.notes)
    assert "rules[1]: says not where to ride, park or how fast" in notes
    assert "not a time of day" in notes


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ({"policies": [policy(mode_id="car-share")]}, "mode_id: not micromobility"),
        ({"policies": [policy(rule(rule_type="time"))]}, "rules: none says where"),
        ({"policies": [policy(rules=[])]}, "policies rules"),
        ({"policies": [policy(start_date=None)]}, "start_date"),
        ({"policies": [policy(policy_id=None)]}, "policy_id"),
        ({"geographies": [geography(geography_json={"type": "FeatureCollection"})]}, "features"),
        ({"geographies": [geography(geography_json={
            "type": "FeatureCollection", "features": [
                {"geometry": {"type": "Polygon", "coordinates": [[[1, 2], [3]]]}}]})]},
         "an outline with a ring"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_by_its_field(tmp_path: Path, records: Any, told: str):
    report = imported(page(tmp_path, "1", **records)).report
    assert (report.rows_in, report.rows_kept) == (1, 0)
    assert told in report.dropped[0].reason
