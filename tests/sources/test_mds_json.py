"""JSON of any length: the same records however it comes, whole ones up to a break, never a hang."""

from __future__ import annotations

import gzip
import itertools
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.mds_import import imported

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources import mds_json
from fleetdesk.sources.mds_files import records_of_file
from fleetdesk.sources.mds_json import Page, Record, Text, records_in, records_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
RECORDS = st.lists(st.dictionaries(st.text(min_size=1, max_size=4), VALUES, min_size=1), max_size=6)


def pieces(text: str, size: int) -> Callable[[], str]:
    parts = iter([text[at : at + size] for at in range(0, len(text), size)])
    return lambda: next(parts, "")


def values(records: Iterator[Record]) -> list[Any]:
    return [record.broken or record.value for record in records]


WRAPS: dict[str, Callable[[list[Any]], str]] = {
    "0.4": lambda found: json.dumps({"version": "0.4.1", "data": {"trips": found}}),
    "2.0": lambda found: json.dumps({"trips": found, "links": {"next": None}, "version": "2.0.0"}),
    "agency": lambda found: json.dumps({"data": found}),
    "list": lambda found: json.dumps(found, indent=2, ensure_ascii=False),
    "pages": lambda found: "\n".join(json.dumps({"trips": [one]}, indent=1) for one in found),
    "lines": lambda found: "\n".join(json.dumps(one) for one in found) + "\n\n",
    "page per line": lambda found: "\n".join(
        json.dumps({"version": "1.2.0", "data": {"trips": [one]}}) for one in found
    ),
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=list(WRAPS))
@settings(max_examples=25, deadline=None)
@given(found=RECORDS, size=st.integers(1, 40), held=st.sampled_from([0, 30, 2**20]))
def test_records_are_the_same_in_whatever_pieces_they_come(wrap, found, size, held):
    before = mds_json.HELD
    mds_json.HELD = held
    try:
        assert values(records_of(Text(pieces(wrap(found), size)))) == found
    finally:
        mds_json.HELD = before


def test_a_page_tells_its_version_and_the_next_one():
    page = Page()
    document = {"version": "2.0.0", "last_updated": 5, "trips": [], "links": {"next": "/2"}}
    assert list(records_in(document, page)) == []
    assert (page.version, page.last_updated, page.next_url) == ("2.0.0", 5, "/2")


@pytest.mark.parametrize("held", [0, 2**20])
def test_a_document_cut_anywhere_keeps_what_is_whole(held: int, monkeypatch):
    monkeypatch.setattr(mds_json, "HELD", held)
    found = [{"a": 1, "b": "x]}"}, {"a": [1, {"c": None}]}, {"a": 3}]
    text = json.dumps({"version": "1.2.0", "data": {"trips": found}})
    starts = [text.index(json.dumps(one)) for one in found]
    for cut in range(text.index("[") + 1, len(text)):
        *whole, last = values(records_of(Text(pieces(text[:cut], 7))))
        ends = [start + len(json.dumps(one)) for start, one in zip(starts, found, strict=True)]
        assert whole == [one for one, end in zip(found, ends, strict=True) if end <= cut]
        assert last == "breaks off", cut


def test_a_damaged_line_costs_one_row():
    text = '{"a": 1}\n{"a": \n{"a": 3}\n'
    assert values(records_of(Text(pieces(text, 5)))) == [
        {"a": 1}, "a line that is not JSON", {"a": 3},
    ]  # fmt: skip
    assert values(records_of(Text(pieces('{"a": 1, \n{"a": 2}\n', 1000)))) == [
        "a line that is not JSON", {"a": 2},
    ]  # fmt: skip


ENDLESS = {
    "brackets": ("[" * 5000, "["),
    "objects in objects": ('{"a":' * 5000, '{"a":'),
    "one text": ('{"version": "', "x" * 1000),
    "one number": ("[", "1" * 1000),
    "spaces": ("[", " " * 1000),
    "members": ("{", '"a": {"b": 1}, '),
    "letters": ('{"trips": [', "spam and eggs "),
    "a record": ('{"trips": [{"a": [1', ", 1" * 500),
    "empty lines": ('{"a": 1}\n{"a": 2}\n', "\n" * 1000),
}


@pytest.mark.parametrize("start,again", ENDLESS.values(), ids=list(ENDLESS))
def test_text_without_end_is_left_within_bounds(start: str, again: str, monkeypatch):
    monkeypatch.setattr(mds_json, "LONGEST", 2**20)
    monkeypatch.setattr(mds_json, "HELD", 2**18)
    block = again * (2**16 // len(again) + 1)
    read = itertools.count()
    coming = itertools.chain([start], itertools.repeat(block))

    def more() -> str:
        next(read)
        return next(coming)

    tracemalloc.start()
    *_, last = records_of(Text(more))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert last.broken
    assert next(read) < 70  # blocks of 64 kB
    assert peak < 40 * 2**20


def test_a_long_document_is_read_in_little_memory():
    record = json.dumps({"trip_id": "x" * 400, "numbers": list(range(50))})
    count = 30_000
    parts = itertools.chain(
        ['{"version": "1.2.0", "data": {"trips": [', record],
        itertools.repeat(", " + record, count - 1), ["]}}"],
    )  # fmt: skip

    def more() -> str:
        return "".join(itertools.islice(parts, 1000))

    tracemalloc.start()
    found = sum(1 for record in records_of(Text(more)) if not record.broken)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == count
    assert count * len(record) > 15 * 2**20
    assert peak < 14 * 2**20


def refusal(path: Path) -> str:
    with pytest.raises(SourceUnreadable) as refused:
        imported(path)
    return str(refused.value)


@pytest.mark.parametrize(
    "content,told",
    [
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "it is a web page or XML"),
        (b"", "empty or damaged"),
        (b"  \n ", "empty or damaged"),
        (b"PK\x03\x04rest", "zip file"),
        ('{"trips": []}'.encode("utf-16"), "UTF-16"),
        (b"\x00" * 5000, "it begins with"),
        (b"trip_id,start\n1,2\n", "it begins with 'trip_id"),
        (gzip.compress(b"{", mtime=0)[:10], "empty or damaged"),
    ],
)
def test_what_is_no_json_is_refused_in_a_sentence(content: bytes, told: str, tmp_path: Path):
    path = tmp_path / "trips.json"
    path.write_bytes(content)
    assert told in refusal(path)


def test_a_place_without_files_is_told(tmp_path: Path):
    assert "no file or folder" in refusal(tmp_path / "nowhere.json")
    (tmp_path / "notes.txt").write_text("hello")
    assert "notes.txt" in refusal(tmp_path)


def test_a_packed_file_that_is_cut_off_keeps_what_is_whole(tmp_path: Path):
    lines = "".join(json.dumps({"trip_id": f"{n:036d}"}) + "\n" for n in range(20_000))
    packed = gzip.compress(lines.encode())
    path = tmp_path / "trips.jsonl.gz"
    path.write_bytes(packed[: len(packed) // 2])
    *whole, last = records_of_file(path, lambda _: None)
    assert len(whole) > 1000
    assert not any(record.broken for record in whole)
    assert "cut off" in last.broken


def test_a_packed_bomb_is_left_early(tmp_path: Path):
    path = tmp_path / "bomb.json.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b'{"version": "')
        for _ in range(100):
            file.write(b"0" * 2**20)
    read: list[int] = []
    tracemalloc.start()
    *_, last = records_of_file(path, read.append)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "more than 16 MB" in last.broken
    assert read[-1] < path.stat().st_size
    assert peak < 200 * 2**20


def test_records_without_end_that_are_of_no_use_are_given_up(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("fleetdesk.sources.mds_intake.HOPELESS_ROWS", 1000)
    path = tmp_path / "trips.json"
    path.write_text('{"trips": [' + "{}, " * 5000 + "{}]}")
    assert "None of the first 1000 records can be used" in refusal(path)
