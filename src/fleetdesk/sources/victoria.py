"""Telemetry back from VictoriaMetrics, day by day; docs/sources/telemetry.md has the metrics."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.quality import QualityReport
from fleetdesk.model.tables import TELEMETRY
from fleetdesk.sources.base import Checkpoint, OnProgress, Piece, Surroundings, Tally
from fleetdesk.sources.mapped_checks import Limits
from fleetdesk.sources.mapped_files import centre_of, far_km_of
from fleetdesk.sources.mapped_rows import Counts
from fleetdesk.sources.mapped_vehicles import SeenVehicles
from fleetdesk.sources.mapping_words import header_of, rank
from fleetdesk.sources.telemetry import TelemetryRows
from fleetdesk.sources.victoria_server import METRICS, PREFIX, VictoriaServer

THROUGH = "through"
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_DAYS_BACK = 30
_MOST_SAMPLES = 2_000_000  # some 50 MB of answer
Series = dict[str, list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]]


@dataclass(frozen=True)
class Period:
    """Which samples are asked for, UTC-aware; `since` is None where the planner said nothing."""

    since: datetime | None
    until: datetime


class Victoria:
    """A VictoriaMetrics server's samples of vehicles as the canonical table `telemetry`.

    Metrics are those that begin with `prefix`; what each means is told by the rest of its name.
    The watermark is the last day that was over when it was read.
    """

    def __init__(
        self,
        server: VictoriaServer,
        period: Period,
        *,
        prefix: str,
        limits: Limits,
        known_vehicles: pa.Table | None = None,
        watermark: Mapping[str, str] | None = None,
    ) -> None:
        self.name = server.name
        self._server = server
        self._prefix = prefix
        self._limits = limits
        self._known = known_vehicles
        self._since, self._until, self._note = _bounds(period, watermark or {})
        self._goes_on = period.since is None and THROUGH in (watermark or {})
        self._report: QualityReport | None = None

    def read(self, on_progress: OnProgress | None = None) -> Iterator[Piece]:
        """Yield `telemetry`, `vehicles` and a checkpoint day by day."""
        tally, counts = Tally(), Counts()
        rows = TelemetryRows(self._limits, tally, counts)
        vehicles = SeenVehicles(self._known)
        columns, unused = self._columns()
        day = self._since
        while day < self._until:
            following = min(_next(day, _DAY), self._until)
            for since, until in self._windows(columns, day, following):
                for good in self._window(columns, since, until, rows, counts):
                    vehicles.see("telemetry", good, pa.nulls(good.num_rows, pa.string()))
                    yield "telemetry", good
            if following == _next(day, _DAY) and following <= self._limits.now:
                yield "vehicles", vehicles.fresh()
                yield Checkpoint({THROUGH: f"{day:%Y-%m-%d}"})
            day = following
            if on_progress:
                on_progress((day - self._since) / (self._until - self._since))
        yield "vehicles", vehicles.fresh()
        meant = ", ".join(f"{name} -> {column}" for name, column in columns.items()) or "nothing"
        notes = [self._note, f"Read as {meant}."]
        if unused:
            notes.append(f"Metrics not used: {', '.join(unused)}.")
        self._report = tally.report(self.name, notes=tuple(notes), facts=counts.facts)

    def report(self) -> QualityReport:
        """What became of the rows; only after `read` has come to its end."""
        if self._report is None:
            raise RuntimeError("the report exists only after the source has been read")
        return self._report

    def _columns(self) -> tuple[dict[str, str], list[str]]:
        """Metric -> canonical column, and the metrics that mean nothing to us."""
        names = self._server.metrics(self._prefix, self._since, self._until)
        ranked = sorted(
            (place, name, column)
            for name in names for column in METRICS
            if (place := rank(header_of(name.removeprefix(self._prefix)), column)) is not None
        )  # fmt: skip
        columns: dict[str, str] = {}
        for _, name, column in ranked:
            if name not in columns and column not in columns.values():
                columns[name] = column
        nothing_new = self._goes_on and not names
        if not nothing_new and not {"lat", "lon"} <= set(columns.values()):
            raise SourceUnreadable(
                f"{self.name} holds no positions of vehicles from {self._since:%Y-%m-%d %H:%M} to "
                f"{self._until:%Y-%m-%d %H:%M} UTC",
                found=f"metrics {', '.join(names[:20])}" if names else
                f"no metric that begins with {self._prefix!r}",
                fix="Give --option prefix=, from= and to= as they are there",
            )  # fmt: skip
        return columns, [name for name in names if name not in columns]

    def _windows(
        self, columns: Mapping[str, str], since: datetime, until: datetime
    ) -> Iterator[tuple[datetime, datetime]]:
        """The time as one or, where it holds much, by hours; nothing where there is nothing."""
        counted = self._server.counts(list(columns), since, until) if columns else {}
        samples = sum(counted.values())
        if 0 < samples <= _MOST_SAMPLES:
            yield since, until
            return
        while samples and since < until:
            following = min(_next(since, _HOUR), until)
            yield since, following
            since = following

    def _window(
        self,
        columns: Mapping[str, str],
        since: datetime,
        until: datetime,
        rows: TelemetryRows,
        counts: Counts,
    ) -> Iterator[pa.Table]:
        by_vehicle: dict[str, Series] = defaultdict(lambda: defaultdict(list))
        for line in self._server.export(list(columns), since, until):
            labels, times, values = _series(line, self.name)
            series = by_vehicle[_vehicle(labels)]
            series[columns[labels["__name__"]]].append((times, values))
        parts = [_joined(vehicle, series, counts) for vehicle, series in sorted(by_vehicle.items())]
        if not parts:
            return
        whole = pa.concat_tables(parts).combine_chunks()
        given = {name: whole.column(name).combine_chunks() for name in whole.column_names}
        ids, times_ = given["vehicle_id"], given["recorded_at"]
        good = rows.take(given, lambda row: f"{ids[row]} at {times_[row]}")
        if good.num_rows:
            yield good


def open_victoria(place: str, around: Surroundings) -> Victoria:
    """The source at an address, as the planner's options say."""
    options = around.options
    token = options.get("token", "")
    since, until = (day_or_time(name, options.get(name, "")) for name in ("from", "to"))
    return Victoria(
        VictoriaServer(place, token=around.secret(token) if token else None),
        Period(since, until or around.now),
        prefix=options.get("prefix", PREFIX),
        limits=Limits(around.now, centre_of(options), far_km_of(options)),
        known_vehicles=around.tables["vehicles"].to_pyarrow(),
        watermark=around.watermark,
    )


def day_or_time(name: str, text: str) -> datetime | None:
    """A day or time of the planner's, in UTC unless it has a zone; None for no text."""
    if not text.strip():
        return None
    try:
        given = datetime.fromisoformat(text.strip())
    except ValueError:
        raise SourceUnreadable(
            f"The option {name} cannot be read", found=repr(text),
            fix="Give a day or a time in UTC, such as 2024-05-01 or 2024-05-01T12:00",
        ) from None  # fmt: skip
    return given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)


def _bounds(period: Period, watermark: Mapping[str, str]) -> tuple[datetime, datetime, str]:
    """From when to when, and why; the last day that was read is read again for what came late."""
    if period.since is not None:
        since, why = period.since, "as asked"
    elif THROUGH in watermark:
        since = datetime.fromisoformat(watermark[THROUGH]).replace(tzinfo=UTC)
        why = "the last day read before, for what came late"
    else:
        since, why = period.until - timedelta(days=_DAYS_BACK), f"{_DAYS_BACK} days back"
    if since >= period.until:
        raise SourceUnreadable(
            "There is no time between from and to",
            found=f"{since.isoformat()} and {period.until.isoformat()}",
            fix="Give --option from= and to= as days or times in UTC, the earlier first",
        )
    return since, period.until, f"Read from {since:%Y-%m-%d %H:%M} UTC ({why})."


def _next(moment: datetime, step: timedelta) -> datetime:
    """The next full hour or day."""
    start = datetime(1970, 1, 1, tzinfo=UTC)
    return start + ((moment - start) // step + 1) * step


def _series(
    line: bytes, name: str
) -> tuple[dict[str, str], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    try:
        read: dict[str, Any] = json.loads(line)
        values = [math.nan if value is None else float(value) for value in read["values"]]
        times = np.array(read["timestamps"], np.int64)
        labels = dict(read["metric"])
        if len(times) != len(values) or "__name__" not in labels:
            raise ValueError("a series of two lengths or without a name")
    except (ValueError, KeyError, TypeError) as trouble:
        raise SourceUnreadable(
            f"{name} does not answer as VictoriaMetrics does",
            found=f"{line[:60]!r}", fix="Check the address",
        ) from trouble  # fmt: skip
    known = np.isfinite(values)
    return labels, times[known], np.array(values, np.float64)[known]


def _vehicle(labels: Mapping[str, str]) -> str:
    """The label that names the vehicle, by the better name for one."""
    ranked = [
        (place, label) for label in labels
        if (place := rank(header_of(label), "vehicle_id")) is not None
    ]  # fmt: skip
    return labels[min(ranked)[1]] if ranked else ""


def _joined(vehicle: str, series: Series, counts: Counts) -> pa.Table:
    """One row per moment at which any of the vehicle's metrics has a sample."""
    joined = {
        column: (np.concatenate([t for t, _ in parts]), np.concatenate([v for _, v in parts]))
        for column, parts in series.items()
    }
    moments = np.unique(np.concatenate([times for times, _ in joined.values()]))
    arrays: dict[str, pa.Array] = {
        "vehicle_id": pa.array([vehicle or None] * len(moments), pa.string()),
        "recorded_at": pa.array(moments * 1000).cast(pa.timestamp("us")),
    }
    for column in METRICS:
        values = np.full(len(moments), np.nan)
        if column in joined:
            times, given = joined[column]
            values[np.searchsorted(moments, times)] = given
            counts.add("samples that the server holds twice", len(times) - len(np.unique(times)))
        lost = np.isnan(values)
        arrays[column] = (
            pa.array(values != 0, pa.bool_(), mask=lost) if column == "locked"
            else pa.array(values, mask=lost)
        )  # fmt: skip
    names = [name for name in TELEMETRY.column_names if name in arrays]
    return pa.Table.from_arrays([arrays[name] for name in names], names=names)
