"""Files of MDS: one, or a folder of pages; JSON or JSON lines, plain or gzip."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.mds_json import Record, Text, records_of

SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
_BLOCK_BYTES = 2**20
_GZIP = b"\x1f\x8b"
_CUT_OFF = "breaks off: the compressed file is cut off or damaged"
_OTHER_FORMATS = (
    (b"<", "a web page or XML", "Download the data itself, not the page that shows it"),
    (b"PK\x03\x04", "an Excel workbook or a zip file", "Unpack it first"),
    (b"PAR1", "a Parquet file", "Import it as a folder of canonical tables"),
    (b"\xff\xfe", "UTF-16 text", "Save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "Save it as UTF-8"),
)


def files_at(place: Path) -> tuple[list[Path], list[str]]:
    """The files to read, by name, and the names of those in the folder that are not MDS."""
    if place.is_file():
        return [place], []
    if not place.is_dir():
        raise SourceUnreadable(
            f"There is no file or folder {place.name}", found=str(place), fix="Check the path"
        )
    inside = sorted(path for path in place.rglob("*") if path.is_file())
    wanted = [path for path in inside if path.name.lower().endswith(SUFFIXES)]
    if not wanted:
        raise SourceUnreadable(
            f"The folder {place.name} holds no file of MDS",
            found=", ".join(path.name for path in inside[:10]) or "nothing",
            fix=f"Files must end in {', '.join(SUFFIXES)}",
        )
    return wanted, [path.name for path in inside if path not in wanted]


def records_of_file(path: Path, on_bytes: Callable[[int], None]) -> Iterator[Record]:
    """The records of one file; SourceUnreadable at once when it is no JSON at all.

    `on_bytes` hears how many bytes of the file are read. What is found to be damaged after the
    beginning ends the file with a record that says so.
    """
    with _opened(path) as (raw, unpacked):
        decode = codecs.getincrementaldecoder("utf-8-sig")(errors="replace").decode
        troubles: list[str] = []

        def more() -> str:
            while True:
                try:
                    block = unpacked.read1(_BLOCK_BYTES)
                except (EOFError, gzip.BadGzipFile, zlib.error):
                    troubles.append(_CUT_OFF)
                    return ""
                on_bytes(raw.tell())
                letters = decode(block, not block)
                if letters or not block:
                    return letters

        text = Text(more)
        text.peek()
        _look_at(path, text)
        for record in records_of(text):
            if record.broken and troubles:
                yield Record(None, "", record.page, troubles.pop())
            else:
                yield record
        if troubles:  # between two records, so that none of them told
            yield Record(None, "", record.page, troubles.pop())


def _look_at(path: Path, text: Text) -> None:
    """Refuse what does not begin like JSON."""
    first = text.peek()
    if first in ("{", "["):
        return
    if not first:
        raise _unreadable(path, "it is empty or damaged from its beginning", "Get it again")
    begins = text.window[text.at : text.at + 40]
    raise _unreadable(path, f"it begins with {begins!r}", "Check that this is the file you mean")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """The file itself and what it holds unpacked."""
    try:
        with path.open("rb") as raw:
            head = raw.read(64)
            raw.seek(0)
            for mark, what, fix in _OTHER_FORMATS:
                if head.lstrip().startswith(mark):
                    raise _unreadable(path, f"it is {what}", fix)
            if not head.startswith(_GZIP):
                yield raw, raw
                return
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield raw, unpacked
    except OSError as trouble:
        raise _unreadable(path, trouble.strerror or str(trouble), "Check the file") from trouble


def _unreadable(path: Path, found: str, fix: str) -> SourceUnreadable:
    return SourceUnreadable(f"{path.name} cannot be read as MDS", found=found, fix=fix)
