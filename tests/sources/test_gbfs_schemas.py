"""Every published schema and example: valid ones come in whole, broken ones are told by field."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.sources.gbfs_kit import NOW, around, taken

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.tables import TABLES
from fleetdesk.sources.base import schema_of
from fleetdesk.sources.gbfs import AHEAD, Gbfs
from fleetdesk.sources.gbfs_document import document
from fleetdesk.sources.gbfs_reader import VEHICLE_FEEDS, Reader
from fleetdesk.sources.gbfs_shapes import FEEDS

pytestmark = pytest.mark.real_data

VERSIONS = ("v1.0", "v1.1", "v2.0", "v2.1", "v2.2", "v2.3", "v3.0", "v3.1-RC3")
# Lists of words that FleetDesk takes as they come.
FREE_WORDS = re.compile(
    r"rental_methods|vehicle_accessories|vehicle_equipment|parking_type|license_id|days|user_type"
    r"|feeds\[\d\]\.name"
)
# Fields of which the schema allows one only.
EXCLUSIVE = ("license_id", "reservation_price_flat_rate")
TEXTS = (
    "en", "DE", "EUR", "#00aaff", "+4915112345678", "06:00:00", "2024-05-01T12:00:00Z", "2024",
)  # fmt: skip
FORMATS = {
    "uri": "https://example.com/x", "date-time": "2024-05-01T10:00:00Z", "date": "2024-05-01",
    "email": "a@example.com",
}  # fmt: skip
Path_ = tuple[Any, ...]


def test_published_examples_come_in_without_loss(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "gbfs" / "schemas" / "testFixtures"
    for name, entries, dropped in (("v2.3", 17, 0), ("v3.0", 320, 0), ("v3.1-RC3", 22, 1)):
        got = taken(Gbfs(folder / name, around(tmp_path, now=NOW.replace(year=2026))))
        report = got.report
        assert report.rows_in == entries == _entries(folder / name)
        assert report.rows_kept + report.rows_dropped == report.rows_in
        assert report.rows_dropped == dropped, got.told()
        assert not [note for note in report.notes if "Against its version" in note]
    # The one is docked at a station that its own station_information does not list.
    assert "data.vehicles[1].station_id: names no known station" in got.told()


def _entries(folder: Path) -> int:
    """Counted without FleetDesk: the entries of all lists, and system_information as one."""
    total = 0
    for path in folder.glob("*.json"):
        data = json.loads(path.read_bytes())["data"]
        if path.stem == "system_information":
            total += 1
        elif path.stem == "geofencing_zones":
            total += len(data["geofencing_zones"]["features"])
        elif path.stem != "gbfs":
            total += len(next(iter(data.values())))
    return total


@pytest.mark.parametrize("version", VERSIONS)
def test_what_breaks_a_schema_is_told_by_field_and_row(shared_data: Path, version: str) -> None:
    folder = shared_data / "gbfs" / "schemas" / version
    tried = 0
    untold = []
    for path in sorted(folder.glob("*.json")):
        assert path.stem in FEEDS
        schema = json.loads(path.read_bytes())
        valid = _sample(schema, "")
        told = _told(valid, path.stem)
        assert told == "", f"{path.stem}: {told}"
        for where, broken in _broken(schema, valid):
            tried += 1
            told = _told(broken, path.stem)
            if where == "version" and where not in broken:
                told += _versions(broken, path.stem)
            if where not in told:
                untold.append(f"{path.stem}: {where}")
    assert not untold
    assert tried > 340


def _told(values: Any, feed: str) -> str:
    """All that is told of the faults of one answer; nothing for a good one."""
    reader = Reader(NOW + AHEAD, lambda name: schema_of(TABLES[name]).empty_table())
    try:
        answer = document(values, feed, "feed")
    except SourceUnreadable as refusal:
        return str(refusal)
    rows = 0
    if feed == "gbfs":
        reader.discovery(answer)
    elif feed in VEHICLE_FEEDS:
        rows = sum(table.num_rows for _, table in reader.snapshot(answer, NOW))
    else:
        rows = sum(table.num_rows for _, table in reader.beside(answer))
    report = reader.report("feed")
    assert report.rows_in == len(answer.entries)
    if feed in VEHICLE_FEEDS or feed == "station_information":
        assert report.rows_kept == rows
    examples = [text for entry in report.dropped for text in entry.examples]
    return "\n".join([*examples, *(note for note in report.notes if "Against" in note)])


def _versions(values: Any, feed: str) -> str:
    """What is told of the version: without one a feed is read as GBFS 1.0, which had none."""
    reader = Reader(NOW + AHEAD, lambda name: schema_of(TABLES[name]).empty_table())
    reader.discovery(document(values, feed, "feed"))
    return "\n".join(note for note in reader.report("feed").notes if note.startswith("GBFS"))


def _sample(schema: dict[str, Any], name: str, row: int = 0) -> Any:
    """A valid value of a schema with every field that it knows."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if "oneOf" in schema and kind is None:
        return False
    if kind == "object":
        inner = {key: _sample(part, key, row) for key, part in schema.get("properties", {}).items()
                 if key not in EXCLUSIVE}  # fmt: skip
        for part in schema.get("patternProperties", {}).values():
            inner["en"] = _sample(part, "en", row)
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            inner["key"] = _sample(more, "key", row)
        return inner
    if kind == "array":
        if name == "feeds":
            names = ("system_information", "station_information", "station_status",
                     "free_bike_status", "vehicle_status", "vehicle_types")  # fmt: skip
            allowed = schema["items"]["properties"]["name"].get("enum", names)
            return [{"name": feed, "url": FORMATS["uri"]} for feed in names if feed in allowed]
        count = max(2, schema.get("minItems", 0))
        return [_sample(schema["items"], name.rstrip("s"), place) for place in range(count)]
    if kind == "string":
        return _text(schema, name, row)
    if kind == "boolean":
        return True
    if name.endswith("_year"):
        return 2024
    if name in ("start", "end") and kind == "number":
        return 1_700_000_000
    least = schema.get("minimum", 0)
    return 1_700_000_000 if least == 1_450_155_600 or "last_" in name else max(least, 1)


def _text(schema: dict[str, Any], name: str, row: int) -> str:
    if "format" in schema:
        return FORMATS[schema["format"]]
    if "pattern" in schema:
        return next(text for text in TEXTS if re.search(schema["pattern"], text))
    if name == "timezone":
        return "Europe/Berlin"
    return f"{name}-{row}" if name.endswith("_id") else "en"


def _broken(schema: dict[str, Any], valid: Any) -> Iterator[tuple[str, Any]]:
    """(where, answer) for each field: missing where required, of a wrong type, out of range."""
    for path, part, required in _fields(schema, valid, ()):
        where = _written(path)
        if required and isinstance(path[-1], str):
            yield where, _changed(valid, path, None, remove=True)
        for value in _wrong(part):
            if "enum" not in part or not FREE_WORDS.search(where) or value != "no such word":
                yield where, _changed(valid, path, value)


def _wrong(part: dict[str, Any]) -> Iterator[Any]:
    kind = part.get("type")
    if kind in ("integer", "number"):
        yield from ("x", None)
        if "minimum" in part:
            yield part["minimum"] - 1
        if "maximum" in part:
            yield part["maximum"] + 1
    elif kind == "string":
        yield from (12345, {})
        if part.get("format") in ("uri", "date", "date-time", "email") or "pattern" in part:
            yield "\u00a7"
        if "enum" in part:
            yield "no such word"
    elif kind == "boolean" or (kind is None and "oneOf" in part):
        yield "x"
    elif kind in ("object", "array"):
        yield "x"
        if part.get("minItems"):
            yield []


def _fields(
    schema: dict[str, Any], valid: Any, path: Path_
) -> Iterator[tuple[Path_, dict[str, Any], bool]]:
    """Each field below a schema; of lists the second entry, so that the row shows."""
    required = schema.get("required", [])
    for name, part in schema.get("properties", {}).items():
        if name in valid:
            yield (*path, name), part, name in required
            yield from _fields(part, valid[name], (*path, name))
    for part in schema.get("patternProperties", {}).values():
        yield (*path, "en"), part, False
        yield from _fields(part, valid["en"], (*path, "en"))
    inner = schema.get("items")
    if isinstance(inner, dict):
        yield (*path, 1), inner, False
        yield from _fields(inner, valid[1], (*path, 1))


def _changed(valid: Any, path: Path_, value: Any, *, remove: bool = False) -> Any:
    changed = copy.deepcopy(valid)
    inside = changed
    for part in path[:-1]:
        inside = inside[part]
    if remove:
        del inside[path[-1]]
    else:
        inside[path[-1]] = value
    return changed


def _written(path: Path_) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)[1:]
