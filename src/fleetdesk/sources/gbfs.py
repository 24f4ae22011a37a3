"""GBFS 1.0 to 3.1: a public feed asked by its discovery address, or raw answers kept as files.

The mapping is in docs/sources/gbfs.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.quality import QualityReport
from fleetdesk.sources.base import OnProgress, Piece, Surroundings
from fleetdesk.sources.gbfs_archive import MOST_BYTES, MOST_VALUES_BYTES, RawFile, raw_files, read
from fleetdesk.sources.gbfs_checks import time_of
from fleetdesk.sources.gbfs_document import Document, document
from fleetdesk.sources.gbfs_ids import IdEvidence, Verdict, remembered
from fleetdesk.sources.gbfs_reader import BESIDE, VEHICLE_FEEDS, Reader
from fleetdesk.sources.gbfs_server import IDS, Patience, Server
from fleetdesk.sources.http import Credentials, Http, Limits
from fleetdesk.sources.json_text import decode_json

AHEAD = timedelta(days=1)  # a clock that is wrong by more than this is not believed
LIMITS = Limits(deadline_s=60.0, body_bytes=MOST_BYTES, json_bytes=MOST_VALUES_BYTES)
_UPDATED = re.compile(rb'"last_updated"\s*:\s*("([^"]{10,40})"|\d{9,16})')


class Gbfs:
    """A feed as the canonical tables SIGHTINGS, VEHICLES, PARKINGS, ZONES and PRICE_PLANS.

    From a server it gives the snapshot of now, or several, each ended by a Checkpoint; from files
    all snapshots in the order of time. Nothing is given of a feed that cannot be read.
    """

    def __init__(
        self,
        place: str | Path,
        around: Surroundings,
        *,
        http: Http | None = None,
        clock: Callable[[], datetime] | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._around = around
        self._files: list[RawFile] = []
        self._server: Server | None = None
        address = str(place)
        if address.startswith(("http://", "https://")):
            http = http or Http(limits=LIMITS, credentials=_credentials(address, around))
            self._server = Server(address, around, http, clock, patience or Patience())
            self.name = self._server.name
        else:
            self._files, other = raw_files(Path(place))
            self.name = Path(place).name
        self._reader = Reader(
            latest=around.now + AHEAD,
            known=lambda name: around.tables[name].to_pyarrow(),
        )
        if self._files and other:
            self._reader.remarks.append(f"Not read: {', '.join(other[:10])}.")
        self._trouble: SourceUnreadable | None = None
        self._report: QualityReport | None = None

    def read(self, on_progress: OnProgress | None = None) -> Iterator[Piece]:
        """Yield `sightings`, `parkings` and, where ids last, `vehicles`."""
        tell = on_progress or _nobody
        if self._server is not None:
            yield from self._server.pieces(self._reader, tell, self._remembered)
        else:
            yield from self._from_files(tell)
        tell(1.0)
        self._report = self._reader.report(self.name)

    def report(self) -> QualityReport:
        """What became of the entries; only after `read` has come to its end."""
        if self._report is None:
            raise RuntimeError("the report exists only after the source has been read")
        return self._report

    def _from_files(self, tell: OnProgress) -> Iterator[Piece]:
        """Read each snapshot twice: whether ids last can be told only after the last one."""
        beside, snapshots = self._sorted(lambda done: tell(0.2 * done))
        rows = 0
        for feed in (*BESIDE, *sorted(beside.keys() - set(BESIDE))):
            if feed not in beside:
                continue
            for name, table in self._reader.beside(beside[feed]):
                rows += table.num_rows
                yield name, table
        if snapshots:
            self._reader.evidence = self._remembered(snapshots[0][0])
        good = []
        for place, (moment, file) in enumerate(snapshots):
            try:
                self._reader.survey(_document(file), moment)
                good.append((moment, file))
            except SourceUnreadable as trouble:
                self._unread(file, trouble)
            tell(0.2 + 0.4 * (place + 1) / len(snapshots))
        if self._trouble and not good and not rows:
            raise self._trouble
        for place, (moment, file) in enumerate(good):
            yield from self._reader.snapshot(_document(file), moment, surveyed=True)
            tell(0.6 + 0.4 * (place + 1) / len(good))
        yield from self._reader.vehicles()

    def _remembered(self, until: datetime) -> IdEvidence:
        before = Verdict(self._around.watermark.get(IDS, Verdict.UNPROVEN))
        return remembered(self._around.tables["sightings"], before, until)

    def _unread(self, file: RawFile, trouble: SourceUnreadable) -> None:
        self._trouble = self._trouble or trouble
        self._reader.account.unread(file.feed or "a file", trouble)

    def _sorted(
        self, tell: OnProgress
    ) -> tuple[dict[str, Document], list[tuple[datetime, RawFile]]]:
        """The newest answer of each feed beside the vehicles', and the snapshots by time."""
        beside: dict[str, Document] = {}
        snapshots: dict[datetime, RawFile] = {}
        systems: dict[str, None] = {}
        repeated = 0
        for place, file in enumerate(self._files):
            try:
                answer = None if file.feed in VEHICLE_FEEDS else _document(file)
                if answer is None or answer.feed in VEHICLE_FEEDS:
                    moment = self._moment(file)
                    repeated += moment in snapshots
                    snapshots.setdefault(moment, file)
                elif answer.feed == "gbfs":
                    self._reader.discovery(answer)
                else:
                    known = beside.get(answer.feed)
                    beside[answer.feed] = _newer(known, answer) if known else answer
                    if answer.feed == "system_information":
                        systems[str(answer.data.get("system_id"))] = None
            except SourceUnreadable as trouble:
                self._unread(file, trouble)
            tell((place + 1) / len(self._files))
        if len(systems) > 1 and snapshots:
            raise SourceUnreadable(
                f"{self.name} holds the feeds of several systems",
                found=", ".join(list(systems)[:5]),
                fix="Import one system's folder at a time",
            )
        if repeated:
            self._reader.remarks.append(f"{repeated} files repeat a snapshot and were passed over.")
        return beside, sorted(snapshots.items(), key=lambda item: item[0])

    def _moment(self, file: RawFile) -> datetime:
        """When a file's snapshot was taken, found without reading its vehicles."""
        body = read(file.path)
        told = _UPDATED.search(body)
        text = told[2].decode("utf-8", "replace") if told and told[2] else ""
        moment = time_of(text or int(told[1])) if told else None
        if moment is None:  # also says what else may be wrong with it
            moment = document(decode_json(body, file.shown), file.feed, file.shown).updated_at
        if moment is None or not _EARLIEST < moment < self._around.now + AHEAD:
            raise SourceUnreadable(
                f"{file.shown} does not tell when it is from",
                found=f"last_updated: {moment or 'no time'}",
                fix="Put the time of the snapshot into last_updated",
            )
        return moment


_EARLIEST = datetime.fromisoformat("2010-01-01T00:00:00+00:00")


def _document(file: RawFile) -> Document:
    return document(file.values(), file.feed, file.shown)


def _newer(one: Document, other: Document) -> Document:
    if other.updated_at is None or one.updated_at is None:
        return other if one.updated_at is None else one
    return other if other.updated_at >= one.updated_at else one


def _credentials(address: str, around: Surroundings) -> Credentials | None:
    name = around.options.get("token", "")
    if not name:
        return None
    token = around.secret(name)
    if not token:
        raise SourceUnreadable(
            "The token for this server is not stored",
            found=f"no secret named {name}",
            fix="See docs/imports.md for where passwords of sources are kept",
        )
    return Credentials(address, {"Authorization": f"Bearer {token}"})


def _nobody(done: float) -> None:
    """Progress that nobody watches."""
