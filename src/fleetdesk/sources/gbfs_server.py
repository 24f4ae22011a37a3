"""A GBFS server asked for its feeds: discovery, polls that keep to the ttl, no news by ETag."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

from fleetdesk.errors import SourceUnreadable
from fleetdesk.sources.base import Checkpoint, OnProgress, Piece, Surroundings
from fleetdesk.sources.gbfs_archive import MOST_VALUES_BYTES, archive
from fleetdesk.sources.gbfs_document import Document, document
from fleetdesk.sources.gbfs_ids import IdEvidence
from fleetdesk.sources.gbfs_reader import BESIDE, VEHICLE_FEEDS, Reader
from fleetdesk.sources.http import Http
from fleetdesk.sources.json_text import decode_json

IDS = "ids"
"""The mark under which the verdict on the feed's ids is kept."""
Recall = Callable[[datetime], IdEvidence]
_AHEAD = timedelta(days=1)
_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Patience:
    """How polls are spaced where the feed's ttl says nothing, and when they are given up."""

    usual_wait_s: float = 60.0
    shortest_wait_s: float = 10.0
    most_failures: int = 5
    sleep: Callable[[float], None] = time.sleep
    timer: Callable[[], float] = time.monotonic


class Server:
    """One server; `clock` gives the time (UTC-aware), by default the import's, running on."""

    def __init__(
        self,
        address: str,
        around: Surroundings,
        http: Http,
        clock: Callable[[], datetime] | None,
        patience: Patience,
    ) -> None:
        self._address, self._http, self._patience = address, http, patience
        parts = urlsplit(address)
        self.name = f"{parts.hostname}{parts.path}"
        self._archive = archive(around.folder, address)
        self._marks = dict(around.watermark)
        self._options = around.options
        started = patience.timer()
        self._clock = clock or (
            lambda: around.now + timedelta(seconds=patience.timer() - started)
        )  # fmt: skip
        self._due: dict[str, datetime] = {}
        self._recall: Recall | None = None
        self._polls = _whole(around.options, "polls")
        self._minutes = _whole(around.options, "minutes")

    def pieces(self, reader: Reader, tell: OnProgress, recall: Recall) -> Iterator[Piece]:
        """Snapshot after snapshot, each ended by a Checkpoint.

        `recall` gives the evidence on ids up to a moment, and is asked once there is news.
        """
        self._recall = recall
        feeds = self._discovered(reader)
        ends_at = self._clock() + timedelta(minutes=self._minutes) if self._minutes else None
        polls = self._polls or (None if ends_at else 1)
        done = failures = 0
        while True:
            try:
                yield from self._poll(feeds, reader)
                failures = 0
            except SourceUnreadable as trouble:
                failures += 1
                if not done or not trouble.retry_helps or failures >= self._patience.most_failures:
                    raise
                reader.account.unread("a poll", trouble)
            done += 1
            tell(done / polls if polls else self._share(ends_at))
            wait = self._wait_s()
            if polls is not None and done >= polls:
                return
            if ends_at is not None and self._clock() + timedelta(seconds=wait) > ends_at:
                return
            self._patience.sleep(wait)

    def _poll(self, feeds: dict[str, str], reader: Reader) -> Iterator[Piece]:
        """Ask for the vehicles; the feeds beside them are read first, as the vehicles need them."""
        name = next((feed for feed in VEHICLE_FEEDS if feed in feeds), None)
        answer, _ = self._asked(name, feeds[name]) if name else (None, False)
        seen_at = self._seen_at(answer, reader) if answer else None
        for feed in BESIDE:
            if feed in feeds and self._clock() >= self._due.get(feed, _EARLIEST):
                try:
                    beside, news = self._asked(feed, feeds[feed])
                except SourceUnreadable as trouble:
                    reader.account.unread(feed, trouble)
                    continue
                if beside is not None and (news or seen_at is not None):
                    yield from reader.beside(beside, news=news)
        if answer is not None and seen_at is not None:
            yield from self._snapshot(answer, seen_at, reader)
            self._marks[IDS] = reader.evidence.verdict.value
        yield Checkpoint(dict(self._marks))

    def _snapshot(self, answer: Document, seen_at: datetime, reader: Reader) -> Iterator[Piece]:
        if self._recall is not None:
            reader.evidence, self._recall = self._recall(self._clock()), None
        tally = reader.account.tally
        kept_before = tally.rows_in - tally.rows_dropped
        yield from reader.snapshot(answer, seen_at)
        if answer.entries and tally.rows_in - tally.rows_dropped == kept_before:
            raise SourceUnreadable(
                f"No vehicle of {answer.feed} can be used",
                found="; ".join(
                    f"{entry.rows} rows: {entry.reason} ({', '.join(entry.examples[:1])})"
                    for entry in tally.dropped()[:3]
                ),
                fix="Tell the operator; what was imported before is kept",
            )
        yield from reader.vehicles()

    def _seen_at(self, answer: Document, reader: Reader) -> datetime | None:
        """The moment of a snapshot; None when it is not newer than the last one."""
        now, told = self._clock(), answer.updated_at
        digest = _digest(answer.entries)
        before, content_before = (self._marks.get(f"vehicles {name}", "")
                                  for name in ("last_updated", "digest"))  # fmt: skip
        if told is None or not _EARLIEST < told < now + _AHEAD:
            if digest == content_before:
                return None
            reader.remarks.append("last_updated is no time that can be; the clock's is taken.")
            told = now
        elif before and told.isoformat() == before:
            if digest == content_before:
                return None
            reader.remarks.append(
                "last_updated stands still while the vehicles change; the clock's time is taken."
            )
            self._marks["vehicles digest"] = digest
            return now
        elif before and told < datetime.fromisoformat(before):
            reader.remarks.append("An answer older than the last one was passed over.")
            return None
        self._marks["vehicles last_updated"] = told.isoformat()
        self._marks["vehicles digest"] = digest
        return told

    def _asked(self, feed: str, url: str) -> tuple[Document | None, bool]:
        """The feed's answer and whether it differs from the last one; None for the same vehicles.

        What a server says has not changed is taken from the raw answers that are kept.
        """
        is_snapshot = feed in VEHICLE_FEEDS
        kept = None if is_snapshot else self._archive.newest(feed)
        etag = self._marks.get(f"{feed} etag", "") if is_snapshot or kept else ""
        answer = self._http.get(urljoin(self._address, url), etag=etag)
        if answer.not_modified and kept is None:
            return None, False
        if answer.not_modified and kept is not None:
            values = decode_json(kept, answer.url, memory_bytes=MOST_VALUES_BYTES)
            found = document(values, feed, answer.url)
        else:
            found = document(answer.json(), feed, answer.url)
            self._archive.keep(feed, found.updated_at or self._clock(), answer.body)
            self._marks[f"{feed} etag"] = answer.etag
        self._due[feed] = self._clock() + timedelta(seconds=found.ttl_s)
        digest = _digest(found.data)
        news = self._marks.get(f"{feed} digest") != digest
        self._marks[f"{feed} digest"] = digest
        return found, news

    def _discovered(self, reader: Reader) -> dict[str, str]:
        """The addresses of the feeds, in the language asked for, else English, else the first."""
        answer = self._http.get(self._address)
        found = document(answer.json(), "gbfs", answer.url)
        if found.feed != "gbfs":
            raise _not_discovery(found, answer.url)
        reader.discovery(found)
        listed = found.data.get("feeds")
        if listed is None:
            wanted = self._options.get("language", "") or "en"
            languages = {name: part for name, part in found.data.items() if isinstance(part, dict)}
            part = languages.get(wanted) or next(iter(languages.values()), {})
            listed = part.get("feeds")
        feeds = {
            entry["name"]: entry["url"]
            for entry in (listed if isinstance(listed, list) else ())
            if isinstance(entry, dict)
            and isinstance(entry.get("name"), str)
            and isinstance(entry.get("url"), str)
        }
        if not {*VEHICLE_FEEDS, "station_information"} & feeds.keys():
            raise SourceUnreadable(
                f"{answer.url} leads to no vehicles and no stations",
                found=f"feeds {', '.join(list(feeds)[:20])}" if feeds else "no feeds",
                fix="Check the address; nothing was imported",
            )
        if not set(VEHICLE_FEEDS) & feeds.keys():
            reader.remarks.append("The system has stations, but no feed of vehicles.")
        return feeds

    def _wait_s(self) -> float:
        """Seconds until the vehicles' ttl is over."""
        due = max((self._due[feed] for feed in VEHICLE_FEEDS if feed in self._due), default=None)
        left = (due - self._clock()).total_seconds() if due else 0.0
        if left <= 0:
            return self._patience.usual_wait_s
        return max(left, self._patience.shortest_wait_s)

    def _share(self, ends_at: datetime | None) -> float:
        if ends_at is None:
            return 0.0
        left_s = max((ends_at - self._clock()).total_seconds(), 0.0)
        return 1 - left_s / (60 * self._minutes)


def _digest(values: Any) -> str:
    try:
        text = json.dumps(values, sort_keys=True)
    except RecursionError:
        raise SourceUnreadable(
            "The feed is nested too deeply", fix="Tell the operator; nothing was imported"
        ) from None
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _not_discovery(found: Document, url: str) -> SourceUnreadable:
    if found.feed == "manifest":
        systems: list[Any] = [entry for entry in found.entries if isinstance(entry, dict)]
        names = ", ".join(str(entry.get("system_id"))[:60] for entry in systems[:20])
        return SourceUnreadable(
            f"{url} lists {len(found.entries)} systems",
            found=names or "none",
            fix="Give the address of one system's gbfs.json, which the list has",
        )
    return SourceUnreadable(
        f"{url} is the feed {found.feed}, not the discovery",
        found=f"a list {found.path}",
        fix="Give the address of gbfs.json, or download the file and import that",
    )


def _whole(options: Any, name: str) -> int:
    """An option as a whole number of at least 1; 0 where it is not given."""
    text = options.get(name, "")
    if not text:
        return 0
    if not text.isdigit() or not 0 < int(text) <= 100_000:
        raise SourceUnreadable(
            f"The option {name} is not a number that can be",
            found=repr(text[:40]),
            fix="Enter a whole number from 1 to 100000",
        )
    return int(text)
