"""JSON as rows of texts: a list, lines, or objects however deep, flattened under dotted names.

A row is one of the deepest objects that come in a list, with what stands above it repeated; where
objects or lists hang under ids instead of names, the id becomes the column `(key)`.
"""

from __future__ import annotations

import io
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pyarrow as pa

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.base import OnProgress, Tally
from fleetdesk.sources.csv_file import Rows

KEY = "(key)"
MAX_VALUE = 64 * 2**20
"""Characters of one value: a list is read item by item, and so are lines."""
_PIECE = 2**20
_BATCH_ROWS = 10_000
_HEAD_ROWS = 2_000
_DEEPEST = 12
_GZIP = b"\x1f\x8b"
_MANY = 3
_POINT = 2
_BLANKS, _SEPARATORS = re.compile(r"\s*"), re.compile(r"[\s,]*")
_SHOWN = 40
_LIST_FIRST = re.compile(r'\{\s*"[^"]*"\s*:\s*\[')


class JsonFile:
    """One JSON file, plain or gzip; its columns are those of its first rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        names: dict[str, None] = {}
        for count, (_, row) in enumerate(self._numbered(Tally())):
            names.update(dict.fromkeys(row))
            if count == _HEAD_ROWS:
                break
        if not names:
            raise _unreadable(path, "it holds no records", "Export it again")
        self.header = list(names)

    def rows(self, tally: Tally, on_progress: OnProgress | None = None) -> Iterator[Rows]:
        """All records; they are numbered by their place, a line of lines by its own."""
        numbers: list[int] = []
        rows: list[Mapping[str, str]] = []
        for number, row in self._numbered(tally, on_progress):
            numbers.append(number)
            rows.append(row)
            if len(rows) == _BATCH_ROWS:
                yield self._batch(numbers, rows, tally)
                numbers, rows = [], []
        if rows:
            yield self._batch(numbers, rows, tally)

    def _batch(self, numbers: list[int], rows: list[Mapping[str, str]], tally: Tally) -> Rows:
        tally.rows_in += len(rows)
        columns = [pa.array([row.get(name) for row in rows], pa.string()) for name in self.header]
        names = [f"c{place}" for place in range(len(columns))]
        return Rows(np.array(numbers, np.int64), pa.Table.from_arrays(columns, names=names))

    def _numbered(
        self, tally: Tally, on_progress: OnProgress | None = None
    ) -> Iterator[tuple[int, Mapping[str, str]]]:
        number = 0
        with _opened(self.path) as (text, told):
            for value in _values(self.path, text, tally):
                if on_progress:
                    on_progress(told())
                for row in flat_rows(value):
                    number += 1
                    yield number, row


def flat_rows(value: Any) -> Iterator[dict[str, str]]:
    """The rows in one JSON value: `{"id": 7, "pings": [{"gps": {"lat": 1}}]}` is one row,
    `{"id": "7", "gps.lat": "1"}`.
    """
    yield from _rows(value, {}, 0)


def _rows(value: Any, above: dict[str, str], depth: int) -> Iterator[dict[str, str]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for item in value:
            yield from _rows(item, above, depth + 1)
        return
    if not isinstance(value, dict):
        return
    own: dict[str, str] = {}
    lists: list[list[Any]] = []
    _flatten(value, "", own, lists, depth)
    keyed = _by_id(value)
    if keyed:
        for key, item in value.items():
            yield from _rows(item, {**above, KEY: key}, depth + 1)
        return
    here = {**above, **own}
    if not lists:
        if own:
            yield here
        return
    for items in lists:
        yield from _rows(items, here, depth + 1)


def _flatten(
    value: Mapping[str, Any], prefix: str, own: dict[str, str], lists: list[list[Any]], depth: int
) -> None:
    for name, item in value.items():
        full = f"{prefix}{name}"
        if isinstance(item, dict) and depth < _DEEPEST:
            if _by_id(item):
                lists.append([item])
            else:
                _flatten(item, f"{full}.", own, lists, depth + 1)
        elif isinstance(item, list):
            if any(isinstance(entry, dict | list) for entry in item):
                lists.append(item)
            elif len(item) in (_POINT, _POINT + 1) and all(_is_number(entry) for entry in item):
                own[full] = ", ".join(str(entry) for entry in item[:_POINT])
            else:
                own[full] = json.dumps(item)
        elif item is not None:
            own[full] = _text(item)


def _by_id(value: Mapping[str, Any]) -> bool:
    """Whether an object is a list under ids: several, all objects of like keys or lists of them."""
    items = list(value.values())
    if not items or not isinstance(items[0], dict | list):
        return False
    if len(items) < _MANY and not any(any(c.isdigit() for c in key) for key in value):
        return False
    if all(isinstance(item, dict) and item for item in items):
        shared = set(items[0]).intersection(*items[1:])
        return 2 * len(shared) >= max(len(item) for item in items)
    return all(isinstance(item, list) and item and isinstance(item[0], dict) for item in items)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return repr(value) if isinstance(value, float) else str(value)


def _values(path: Path, text: IO[str], tally: Tally) -> Iterator[Any]:
    """The items of the list that the file is, or the values that stand in it one after another.

    A broken value among others is dropped up to its line's end; in a list it is the file's end.
    """
    decoder = json.JSONDecoder()
    reader = _Buffer(text)
    in_list, first = False, True
    while True:
        reader.skip(_SEPARATORS if in_list else _BLANKS)
        if reader.at_end:
            if in_list:
                raise _cut_off(path)
            return
        if not in_list and reader.sign == "[":
            in_list = True
            reader.advance(reader.at + 1)
            continue
        if in_list and reader.sign == "]":
            in_list = first = False
            reader.advance(reader.at + 1)
            continue
        try:
            value, stop = decoder.raw_decode(reader.buffer, reader.at)
        except RecursionError:
            raise _unreadable(path, "JSON nested too deeply", "Export it again") from None
        except json.JSONDecodeError as trouble:
            unfinished = _unfinished(trouble)
            more = unfinished and not reader.ended
            if more and reader.ahead < MAX_VALUE:
                reader.fill(2 * reader.ahead)
                continue
            head = _LIST_FIRST.match(reader.buffer, reader.at) if more and first else None
            if head:  # an object too big to be held, but its list can be read item by item
                in_list = True
                reader.advance(head.end())
                continue
            if in_list or first or more:
                raise _broken(path, reader, unfinished) from None
            tally.rows_in += 1
            tally.drop("not JSON", 1, iter([f"line {reader.line}: {reader.begins!r}"]))
            reader.advance(reader.end_of_line())
            continue
        except ValueError:  # a number of thousands of digits
            raise _broken(path, reader, False) from None
        first = False
        yield value
        reader.advance(stop)


class _Buffer:
    """The part of a text that is being looked at, from `at` on, and in which line that is."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self.buffer = ""
        self.at = 0
        self.line = 1
        self.ended = False

    @property
    def ahead(self) -> int:
        """Characters that are there and not passed yet."""
        return len(self.buffer) - self.at

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.ended and not self.ahead

    @property
    def sign(self) -> str:
        """The next character."""
        return self.buffer[self.at]

    @property
    def begins(self) -> str:
        """What comes next, to recognise it by."""
        return self.buffer[self.at : self.at + _SHOWN]

    def advance(self, to: int) -> None:
        """Pass what stands before `to`."""
        self.line += self.buffer.count("\n", self.at, to)
        self.at = to

    def skip(self, signs: re.Pattern[str]) -> None:
        """Pass all of these signs, so that something else or the end comes next."""
        while True:
            if not self.ahead:
                self.fill(_PIECE)
            match = signs.match(self.buffer, self.at)
            self.advance(match.end() if match else self.at)
            if self.ahead or self.ended:
                return

    def fill(self, wanted: int) -> None:
        """Read on until so much is ahead or the text ends."""
        pieces = [self.buffer[self.at :]]
        length = len(pieces[0])
        while not self.ended and length < wanted:
            piece = self._text.read(_PIECE)
            self.ended = not piece
            pieces.append(piece)
            length += len(piece)
        self.buffer, self.at = "".join(pieces), 0

    def end_of_line(self) -> int:
        """Where the next line begins, as far as it is there."""
        end = self.buffer.find("\n", self.at)
        return len(self.buffer) if end < 0 else end + 1


def _unfinished(trouble: json.JSONDecodeError) -> bool:
    """Whether the text ends where the value still went on."""
    if trouble.msg.startswith("Unterminated"):
        return True
    left = trouble.doc[trouble.pos : trouble.pos + _SHOWN].strip()
    words = ("true", "false", "null", "-")
    is_last = len(trouble.doc) - trouble.pos < _SHOWN
    return is_last and (not left or any(word.startswith(left) for word in words))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[str], Any]]:
    """The file's text and how much of it has been read, 0 to 1."""
    size = max(1, path.stat().st_size)
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == _GZIP
            plain.seek(0)
            with pa.PythonFile(plain, mode="r") as file:
                stream = pa.CompressedInputStream(file, "gzip") if packed else file
                raw = cast("IO[bytes]", stream)
                text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="strict")
                yield text, lambda: min(1.0, plain.tell() / size)
    except FileNotFoundError as trouble:
        raise _unreadable(path, "there is no such file", "Check the path") from trouble
    except UnicodeDecodeError as trouble:
        raise _unreadable(path, "it is not UTF-8 text", "Save it as UTF-8") from trouble
    except (OSError, EOFError, zlib.error, pa.ArrowInvalid) as trouble:
        raise _unreadable(path, str(trouble).splitlines()[0], "Download it again") from trouble


def _broken(path: Path, reader: _Buffer, unfinished: bool) -> SourceUnreadable:
    if unfinished and reader.ended:
        return _cut_off(path)
    if unfinished:
        return _unreadable(path, f"one value of more than {MAX_VALUE // 2**20} MB",
                           "Save it as JSON lines, one record each")  # fmt: skip
    return _unreadable(path, f"no JSON in line {reader.line}, beginning with {reader.begins!r}",
                       "Export it again")  # fmt: skip


def _cut_off(path: Path) -> SourceUnreadable:
    return _unreadable(path, "it breaks off before its end", "Download or copy it again")


def _unreadable(path: Path, found: str, fix: str) -> SourceUnreadable:
    return SourceUnreadable(f"{path.name} cannot be read as JSON", found=found, fix=fix)
