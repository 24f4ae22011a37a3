"""A source of numbered pings with checkpoints, as a polled feed or a paged database gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pyarrow as pa

from fleetdesk.model.quality import QualityReport
from fleetdesk.sources import kinds
from fleetdesk.sources.base import Checkpoint, OnProgress, Piece, Surroundings, Tally
from fleetdesk.sources.kinds import Kind, Option

START = datetime(2024, 5, 1)


def pings(numbers: range, lat: float = 40.0) -> pa.Table:
    n = len(numbers)
    return pa.table(
        {
            "vehicle_id": [f"v{number % 7}" for number in numbers],
            "recorded_at": pa.array(
                [START + timedelta(minutes=number) for number in numbers], pa.timestamp("us")
            ),
            "lat": [lat] * n,
            "lon": [22.0] * n,
            "speed_kmh": [float(number) for number in numbers],
            "battery_pct": pa.nulls(n, pa.float64()),
            "hdop": pa.nulls(n, pa.float64()),
            "locked": pa.nulls(n, pa.bool_()),
        }
    )


class Numbers:
    """Pings from the watermark on up to `rows`, a checkpoint after each `page`.

    `bad` rows are dropped at each reading; `at` is called with the number of each piece's first
    row before it is given.
    """

    name = "numbers"

    def __init__(
        self, around: Surroundings, rows: int, page: int, bad: int, lat: float,
        at: Callable[[int], None],
    ) -> None:  # fmt: skip
        self._start = int(around.watermark.get("next", "0"))
        self._rows, self._page, self._bad, self._lat, self._at = rows, page, bad, lat, at
        self._tally = Tally()
        self._ended = False

    def read(self, on_progress: OnProgress | None = None) -> Iterator[Piece]:
        half = max(1, self._page // 2)
        for start in range(self._start, self._rows, half):
            self._at(start)
            piece = range(start, min(start + half, self._rows))
            self._tally.rows_in += len(piece)
            yield "telemetry", pings(piece, self._lat)
            if piece.stop % self._page == 0:
                yield Checkpoint({"next": str(piece.stop)})
            if on_progress:
                on_progress(piece.stop / self._rows)
        if self._bad:
            self._tally.rows_in += self._bad
            self._tally.drop("no position", self._bad, iter(["row 1"]))
        yield Checkpoint({"next": str(max(self._start, self._rows))})
        self._ended = True

    def report(self) -> QualityReport:
        assert self._ended, "read to the end first"
        return self._tally.report(self.name, notes=(), facts={})


def register(at: Callable[[int], None] = lambda _: None) -> None:
    """Add the kind `numbers`; `at` is told of the first row of each piece before it is given."""

    def build(place: str, around: Surroundings) -> Numbers:
        options = {name: int(value) for name, value in around.options.items()}
        return Numbers(around, options["rows"], options["page"], options["bad"],
                       float(options["lat"]), at)  # fmt: skip

    options = (
        Option("rows", "how many there are by now", "100"),
        Option("page", "rows between checkpoints", "10"),
        Option("bad", "rows that cannot be used", "0"),
        Option("lat", "where", "40"),
    )
    kinds.KINDS["numbers"] = Kind("numbers", "anything", build, options)
