"""JSON of many shapes as rows."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources import mapped_json
from fleetdesk.sources.base import Tally
from fleetdesk.sources.mapped_json import JsonFile, flat_rows

PING = {"ts": 1, "gps": {"lat": 1.5, "lon": 2}}
FLAT = {"ts": "1", "gps.lat": "1.5", "gps.lon": "2"}


def read(path: Path) -> tuple[list[dict[str, Any]], Tally]:
    file, tally = JsonFile(path), Tally()
    rows = [
        {file.header[int(name[1:])]: value for name, value in row.items() if value is not None}
        for batch in file.rows(tally) for row in batch.texts.to_pylist()
    ]  # fmt: skip
    return rows, tally


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        (PING, [FLAT]),
        ([PING, PING], [FLAT, FLAT]),
        ({"data": [PING]}, [FLAT]),
        ({"data": {"pings": [PING]}, "version": "2"}, [{"version": "2", **FLAT}]),
        ({"id": 7, "pings": [PING, PING]}, [{"id": "7", **FLAT}] * 2),
        ({"v1": PING, "v2": PING}, [{"(key)": "v1", **FLAT}, {"(key)": "v2", **FLAT}]),
        ({"v1": [PING], "v2": [PING]}, [{"(key)": "v1", **FLAT}, {"(key)": "v2", **FLAT}]),
        ({"vehicles": {"v1": {"pings": [PING]}, "v2": {"pings": [PING]}}},
         [{"(key)": "v1", **FLAT}, {"(key)": "v2", **FLAT}]),
        ({"id": 1, "at": [23.5, 37.5], "on": True, "no": None, "tags": ["a"]},
         [{"id": "1", "at": "23.5, 37.5", "on": "yes", "tags": '["a"]'}]),
        ([1, 2], []),
        ({}, []),
    ],
)  # fmt: skip
def test_rows_are_the_deepest_objects_with_what_stands_above(
    value: Any, rows: list[dict[str, str]]
) -> None:
    assert list(flat_rows(value)) == rows


@pytest.mark.parametrize(
    "text",
    [
        '[{"a":1},{"a":2}]', '{"data":[{"a":1},{"a":2}]}', '{"a":1}\n{"a":2}\n',
        '{\n "a":1}\n\n{"a":\n2}', '\ufeff[{"a":1},\n{"a":2}]\n', '[{"a":1}]\n[{"a":2}]',
    ],
)  # fmt: skip
def test_lists_objects_and_lines_are_read_alike(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    assert read(path)[0] == [{"a": "1"}, {"a": "2"}]
    path.write_bytes(gzip.compress(text.encode()))
    assert read(path)[0] == [{"a": "1"}, {"a": "2"}]


def test_broken_lines_are_counted_and_the_others_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a":1}\n{"a":2\n{"a":3}\n{"a')
    rows, tally = read(path)
    assert rows == [{"a": "1"}, {"a": "3"}]
    assert tally.rows_in == 4
    assert [(entry.reason, entry.rows) for entry in tally.dropped()] == [("not JSON", 2)]
    assert tally.dropped()[0].examples[0].startswith("line 2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"a":1},{"a":', "breaks off"),
        ('[{"a":1},{"a":tru', "breaks off"),
        ('[{"a":1},{"a":1}', "breaks off"),
        ('{"a":1', "breaks off"),
        ('[{"a":1},{"a":x}]', "no JSON in line 1"),
        ("{}", "no records"),
        ("[" * 100_000, "nested too deeply|breaks off|no records"),
        ('[{"a":' + "9" * 5000 + "}]", "no JSON|no records"),
    ],
)
def test_what_is_cut_off_or_broken_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(SourceUnreadable, match=said):
        read(path)


def test_a_list_is_read_item_by_item_however_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped_json, "MAX_VALUE", 2000)
    monkeypatch.setattr(mapped_json, "_PIECE", 100)
    path = tmp_path / "a.json"
    many = [{"a": place, "deep": {"b": "x" * 20}} for place in range(500)]
    for value in (many, {"data": many}):
        path.write_text(json.dumps(value))
        rows, _ = read(path)
        assert [row["a"] for row in rows] == [str(place) for place in range(500)]
    path.write_text(json.dumps({"one": "x" * 5000}))
    with pytest.raises(SourceUnreadable, match="one value of more than"):
        read(path)
