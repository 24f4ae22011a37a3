"""The store's telemetry to VictoriaMetrics, and proof by PromQL that all of it arrived.

The server drops samples older than it keeps without a word, and counts samples twice that are sent
twice, unless it was started with -dedup.minScrapeInterval=1ms.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fleetdesk.errors import FleetDeskError
from fleetdesk.features.calendar import moment
from fleetdesk.sources.base import OnProgress
from fleetdesk.sources.victoria_server import METRICS, PREFIX, VEHICLE, VictoriaServer, seconds

_BATCH_BYTES = 4 * 2**20
_PATIENCE_S = 10.0
_STEP_S = 0.5
_DAY = timedelta(days=1)
_DEDUP, _RETENTION = "dedup.minScrapeInterval", "retentionPeriod"


@dataclass
class Sent:
    """What was sent: rows of telemetry and samples; `there` are days that were there already."""

    server: str
    rows: int = 0
    samples: int = 0
    days: int = 0
    there: int = 0
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        lines = [
            f"{self.server}: {self.rows} pings sent as {self.samples} samples of {self.days} days; "
            "all of them are there."
        ]
        if self.there:
            lines.append(f"{self.there} days were there already and were not sent again.")
        return {
            "server": self.server, "rows": self.rows, "samples": self.samples, "days": self.days,
            "days_there_already": self.there, "notes": list(self.notes),
            "text": "\n".join([*lines, *(f"Note: {note}" for note in self.notes)]),
        }  # fmt: skip


def to_victoria(
    tables: Mapping[str, Any],
    server: VictoriaServer,
    *,
    now: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
    prefix: str = PREFIX,
    on_progress: OnProgress | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Sent:
    """Send `telemetry` from `since` on and before `until` (UTC-aware), whole days at a time.

    `tables` are the store's Ibis tables. FleetDeskError when samples are missing afterwards, with
    days and reason, or when sending would make the server count samples twice.
    """
    telemetry = tables["telemetry"]
    sent = Sent(server.name)
    days = list(_days(telemetry, since, until))
    if not days:
        raise FleetDeskError(
            "There is no telemetry to send", found="no pings in that time",
            fix="Import telemetry first, or give other days",
        )  # fmt: skip
    flags = server.flags()
    dedup = seconds(flags.get(_DEDUP, "0s")) if flags is not None else None
    _check_age(flags, days[0], now)
    names = [f"{prefix}{column}" for column in METRICS]
    for turn, day in enumerate(days):
        rows = _rows_of(telemetry, day)
        if rows.num_rows:
            expected = {f"{prefix}{c}": len(rows) - rows.column(c).null_count for c in METRICS}
            expected = {name: count for name, count in expected.items() if count}
            before = server.counts(names, day, day + _DAY)
            if before == expected and not dedup:
                sent.there += 1
            else:
                _refuse_doubling(server, day, before, dedup)
                for lines in _lines(rows, prefix):
                    server.put(lines)
                _check_arrival(server, day, expected, names, flags, sleep)
                sent.days += 1
                sent.rows += rows.num_rows
                sent.samples += sum(expected.values())
        if on_progress:
            on_progress((turn + 1) / len(days))
    if flags is None:
        sent.notes.append("The server does not say how it was started; counts were compared only.")
    elif not dedup:
        sent.notes.append(
            "The server was started without -dedup.minScrapeInterval=1ms: days that are there "
            "cannot be sent again."
        )
    return sent


def _days(telemetry: Any, since: datetime | None, until: datetime | None) -> Iterator[datetime]:
    if since:
        telemetry = telemetry.filter(telemetry.recorded_at >= moment(since))
    if until:
        telemetry = telemetry.filter(telemetry.recorded_at < moment(until))
    span = telemetry.agg(first=telemetry.recorded_at.min(), last=telemetry.recorded_at.max())
    row = span.to_pyarrow().to_pylist()[0]
    if row["first"] is None:
        return
    day = row["first"].replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    while day.replace(tzinfo=None) <= row["last"]:
        yield day
        day += _DAY


def _rows_of(telemetry: Any, day: datetime) -> pa.Table:
    """A day's pings, one per vehicle and millisecond: the server knows nothing shorter."""
    of_day = telemetry.filter(
        (telemetry.recorded_at >= moment(day)) & (telemetry.recorded_at < moment(day + _DAY))
    )
    rows = of_day.order_by(["vehicle_id", "recorded_at"]).to_pyarrow().combine_chunks()
    if not rows.num_rows:
        return rows
    millis = np.asarray(rows.column("recorded_at").combine_chunks().cast(pa.int64())) // 1000
    codes = np.asarray(rows.column(VEHICLE).combine_chunks().dictionary_encode().indices)
    last = np.append((np.diff(millis) != 0) | (np.diff(codes) != 0), True)
    kept = rows.filter(pa.array(last))
    return kept.append_column("millis", pa.array(millis[last]))


def _lines(rows: pa.Table, prefix: str) -> Iterator[bytes]:
    """The rows as import lines, one per vehicle and metric, some megabytes at a time."""
    vehicles = rows.column(VEHICLE).combine_chunks().dictionary_encode()
    codes = np.asarray(vehicles.indices)
    edges = np.flatnonzero(np.diff(codes, prepend=-1, append=-1))
    pending, size = [], 0
    for first, stop in pairwise(edges):
        piece = rows.slice(int(first), int(stop - first))
        name = piece.column(VEHICLE)[0].as_py()
        for column in METRICS:
            known = piece.filter(pc.is_valid(piece.column(column)))
            if not known.num_rows:
                continue
            values = known.column(column).to_pylist()
            line = json.dumps({
                "metric": {"__name__": f"{prefix}{column}", VEHICLE: name},
                "values": [int(v) if isinstance(v, bool) else v for v in values],
                "timestamps": known.column("millis").to_pylist(),
            }).encode()  # fmt: skip
            pending.append(line)
            size += len(line)
            if size > _BATCH_BYTES:
                yield b"\n".join(pending)
                pending, size = [], 0
    if pending:
        yield b"\n".join(pending)


def _check_age(flags: Mapping[str, str] | None, first: datetime, now: datetime) -> None:
    """Say before anything is sent that the server would drop the oldest."""
    kept_s = seconds((flags or {}).get(_RETENTION, ""))
    if kept_s and first < now - timedelta(seconds=kept_s):
        oldest = now - timedelta(seconds=kept_s)
        raise FleetDeskError(
            "The server would drop the oldest samples without a word",
            found=f"telemetry from {first:%Y-%m-%d} on; it keeps what is after "
            f"{oldest:%Y-%m-%d} (-retentionPeriod={(flags or {})[_RETENTION]})",
            fix=f"Start it with a longer -retentionPeriod, or send from {oldest + _DAY:%Y-%m-%d} "
            "on with --from",
        )


def _refuse_doubling(
    server: VictoriaServer, day: datetime, before: Mapping[str, int], dedup: float | None
) -> None:
    if before and not dedup:
        raise FleetDeskError(
            f"Sending {day:%Y-%m-%d} would make {server.name} count samples twice",
            found=f"{sum(before.values())} samples of that day are there, other than would be "
            "sent, and it was started without -dedup.minScrapeInterval",
            fix="Start it with -dedup.minScrapeInterval=1ms, or send other days; what was sent "
            "before is whole",
        )


def _check_arrival(
    server: VictoriaServer,
    day: datetime,
    expected: Mapping[str, int],
    names: list[str],
    flags: Mapping[str, str] | None,
    sleep: Callable[[float], None],
) -> None:
    """Ask by PromQL until every sample of the day is counted, for some seconds at most."""
    waited = 0.0
    while True:
        server.flush()
        found = server.counts(names, day, day + _DAY)
        lacking = {name: n - found.get(name, 0) for name, n in expected.items()}
        lacking = {name: n for name, n in lacking.items() if n > 0}
        if not lacking:
            return
        if waited >= _PATIENCE_S:
            break
        sleep(_STEP_S)
        waited += _STEP_S
    told = (flags or {}).get(_RETENTION, "unknown")
    interval = (flags or {}).get(_DEDUP, "0s")
    raise FleetDeskError(
        f"Not all samples of {day:%Y-%m-%d} arrived at {server.name}",
        found=", ".join(f"{n} of {expected[name]} of {name} are missing"
                        for name, n in lacking.items())
        + f"; -retentionPeriod is {told}, -dedup.minScrapeInterval is {interval}",
        fix="A longer -retentionPeriod keeps older samples, and a dedup interval above 1ms drops "
        "pings that follow closely; change that and send again",
    )  # fmt: skip
