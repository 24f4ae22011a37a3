"""Raw answers of GBFS servers as files: kept by (server, feed, last_updated), found, read."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.gbfs_shapes import FEEDS
from fleetdesk.sources.json_text import decode_json

MOST_BYTES = 48_000_000  # of one answer, unpacked
MOST_VALUES_BYTES = 250_000_000  # that its values may take in memory
_SUFFIXES = (".json", ".json.gz")
_PIECE = 1_000_000
_BY_LENGTH = sorted(FEEDS, key=len, reverse=True)


@dataclass(frozen=True)
class Archive:
    """The folder of one server's answers: `<folder>/<feed>/<last_updated>.json.gz`."""

    folder: Path

    def keep(self, feed: str, updated_at: datetime, body: bytes) -> None:
        """Write one answer, whole or not at all; the same one again changes nothing."""
        path = self.folder / feed / f"{updated_at:%Y-%m-%dT%H%M%SZ}.json.gz"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            packed = gzip.compress(body, 6, mtime=0)
            if path.exists() and path.read_bytes() == packed:
                return
            partial = path.with_name(f"{path.name}.tmp")
            with partial.open("wb") as file:
                file.write(packed)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as trouble:
            raise SourceUnreadable(
                "The raw answer could not be kept",
                found=f"{path.name}: {trouble.strerror or type(trouble).__name__}",
                fix="Free some space and import again; what is in the store is unharmed",
                retry_helps=True,
            ) from trouble

    def newest(self, feed: str) -> bytes | None:
        """The body of the newest answer that was kept of a feed, if one was and is whole."""
        kept = sorted((self.folder / feed).glob("*.json.gz"))
        try:
            return read(kept[-1]) if kept else None
        except SourceUnreadable:
            return None


@dataclass(frozen=True)
class RawFile:
    """A file and the feed that its name or folder speaks of, or nothing."""

    path: Path
    feed: str
    shown: str

    def values(self) -> Any:
        """The JSON in it; SourceUnreadable for anything else."""
        return decode_json(read(self.path), self.shown, memory_bytes=MOST_VALUES_BYTES)


def archive(folder: Path, address: str) -> Archive:
    """The archive of a server inside the workspace's raw folder."""
    parts = urlsplit(address)
    path = re.sub(r"/?(gbfs)?(\.json)?/?$", "", parts.path)
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{parts.hostname}{path}").strip("-.")
    # Two addresses may look alike without their special characters, port and query.
    digest = hashlib.sha256(address.encode()).hexdigest()[:8]
    return Archive(folder / "gbfs" / f"{name[:60]}-{digest}")


def raw_files(place: Path) -> tuple[list[RawFile], list[str]]:
    """The JSON files at a place, plain or gzip, in the order of names; and what else lies there."""
    if place.is_file():
        return [RawFile(place, _named(place.parent.name, place.name), place.name)], []
    if not place.is_dir():
        raise SourceUnreadable(
            f"There is no file or folder {place.name}", found=str(place), fix="Check the path"
        )
    found, other = [], []
    for path in sorted(path for path in place.rglob("*") if path.is_file()):
        if path.name.endswith(_SUFFIXES):
            shown = path.relative_to(place).as_posix()
            found.append(RawFile(path, _named(path.parent.name, path.name), shown))
        else:
            other.append(path.name)
    if not found:
        raise SourceUnreadable(
            f"The folder {place.name} holds no JSON file",
            found=", ".join(other[:5]) or "nothing",
            fix="Give a folder of raw GBFS answers, such as free_bike_status.json",
        )
    return found, other


def read(path: Path) -> bytes:
    """The file's content, unpacked; SourceUnreadable for damaged gzip or more than the bound."""
    body = bytearray()
    try:
        for piece in _pieces(path):
            body += piece
            if len(body) > MOST_BYTES:
                raise SourceUnreadable(
                    f"{path.name} is too big to be a feed",
                    found=f"more than {MOST_BYTES / 1e6:g} MB",
                    fix="Check that this is one answer of a GBFS server",
                )
    except (EOFError, gzip.BadGzipFile, zlib.error) as trouble:
        raise SourceUnreadable(
            f"{path.name} is cut off or damaged",
            found="gzip that cannot be unpacked",
            fix="Copy the file again",
        ) from trouble
    except OSError as trouble:
        raise SourceUnreadable(
            f"{path.name} cannot be opened",
            found=trouble.strerror or type(trouble).__name__,
            fix="Check the file and its permissions",
        ) from trouble
    return bytes(body)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rb") if packed else path.open("rb") as content:
        while piece := content.read(_PIECE):
            yield piece


def _named(parent: str, name: str) -> str:
    """The feed that a file's name has in it, else its folder's."""
    for text in (name, parent):
        plain = text.lower().replace("-", "_")
        if feed := next((feed for feed in _BY_LENGTH if feed in plain), None):
            return feed
    return ""
