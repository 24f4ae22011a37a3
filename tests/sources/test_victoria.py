"""Telemetry to a real VictoriaMetrics and back, and what the server does in silence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from tests.services.victoria import DEDUP, running_victoria

from fleetdesk.errors import FleetDeskError, SourceUnreadable
from fleetdesk.model.tables import TELEMETRY
from fleetdesk.sources import victoria
from fleetdesk.sources.base import Checkpoint, schema_of
from fleetdesk.sources.mapped_checks import Limits
from fleetdesk.sources.victoria import THROUGH, Period, Victoria, day_or_time
from fleetdesk.sources.victoria_send import to_victoria
from fleetdesk.sources.victoria_server import VictoriaServer, seconds

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
# The server keeps what is recent by its own clock, so the rows are near it.
FIRST = (NOW - 4 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_victoria(DEDUP) as found:
        yield found


def pings(vehicles: int, days: int, *, each: int = 200) -> pa.Table:
    """Pings through whole days, with gaps in every nullable column."""
    rng = np.random.default_rng(7)
    count = vehicles * days * each
    step = DAY * days / (days * each)
    rows = []
    for place in range(count):
        vehicle, turn = divmod(place, days * each)
        at = FIRST + turn * step + timedelta(milliseconds=vehicle)
        rows.append({
            "vehicle_id": f"v{vehicle} \"q\"", "recorded_at": at.replace(tzinfo=None),
            "lat": 40.6 + rng.normal(0, 0.02), "lon": 22.9 + rng.normal(0, 0.02),
            "speed_kmh": None if place % 3 else float(rng.integers(0, 25)),
            "battery_pct": None if place % 5 else float(rng.integers(0, 100)),
            "hdop": None if place % 7 else 0.9, "locked": None if place % 2 else place % 4 == 0,
        })  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schema_of(TELEMETRY))


def tables(rows: pa.Table) -> dict[str, Any]:
    return {"telemetry": ibis.memtable(rows)}


def source(address: str, prefix: str, watermark: Any = None, **period: Any) -> Victoria:
    since, until = period.get("since", FIRST), period.get("until", NOW)
    return Victoria(
        VictoriaServer(address), Period(since, until), prefix=prefix, limits=Limits(NOW),
        watermark=watermark,
    )  # fmt: skip


def read(source: Victoria) -> tuple[pa.Table, list[Checkpoint], Any]:
    pieces = list(source.read())
    rows = [p[1] for p in pieces if not isinstance(p, Checkpoint) and p[0] == "telemetry"]
    marks = [piece for piece in pieces if isinstance(piece, Checkpoint)]
    whole = pa.concat_tables(rows) if rows else schema_of(TELEMETRY).empty_table()
    return whole.sort_by([("vehicle_id", "ascending"), ("recorded_at", "ascending")]), marks, source


def test_what_is_sent_is_counted_and_comes_back_the_same(address: str) -> None:
    rows = pings(5, 3)
    sent = to_victoria(tables(rows), VictoriaServer(address), now=NOW, prefix="a_")
    given = sum(len(rows) - rows.column(name).null_count for name in rows.column_names[2:])
    assert (sent.rows, sent.samples, sent.days) == (len(rows), given, 3)
    back, marks, used = read(source(address, "a_"))
    for name in ("lat", "lon"):
        assert np.allclose(back.column(name), rows.column(name), rtol=0, atol=1e-9)
    rest = [name for name in rows.column_names if name not in ("lat", "lon")]
    assert back.select(rest).to_pylist() == rows.select(rest).to_pylist()
    assert used.report().rows_in == used.report().rows_kept == len(rows)
    assert [mark.watermark[THROUGH] for mark in marks] == [
        f"{FIRST + turn * DAY:%Y-%m-%d}" for turn in range(4)
    ]
    # Sent again nothing is doubled, because this server was told to drop repeats.
    to_victoria(tables(rows), VictoriaServer(address), now=NOW, prefix="a_")
    assert read(source(address, "a_"))[0].num_rows == len(rows)


def test_days_that_hold_much_are_read_by_hours(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pings(2, 2, each=300)
    to_victoria(tables(rows), VictoriaServer(address), now=NOW, prefix="h_")
    whole, _, _ = read(source(address, "h_"))
    monkeypatch.setattr(victoria, "_MOST_SAMPLES", 10)
    by_hours, _, _ = read(source(address, "h_"))
    assert by_hours == whole
    assert whole.num_rows == len(rows)


def test_an_import_goes_on_with_the_last_whole_day(address: str) -> None:
    rows = pings(2, 3)
    to_victoria(tables(rows), VictoriaServer(address), now=NOW, prefix="b_")
    _, marks, _ = read(source(address, "b_"))
    later = source(address, "b_", marks[1].watermark, since=None)
    again, _, _ = read(later)
    since = (FIRST + DAY).replace(tzinfo=None)
    assert again.num_rows == sum(at >= since for at in rows.column("recorded_at").to_pylist())
    assert "for what came late" in later.report().notes[0]


def test_metrics_of_others_are_known_by_their_names(address: str) -> None:
    server = VictoriaServer(address)
    millis = round(FIRST.timestamp() * 1000)
    lines = [
        f'{{"metric":{{"__name__":"iot_{name}","imei":"x1","job":"t"}},"values":[{value}],'
        f'"timestamps":[{millis}]}}'
        for name, value in (
            ("latitude", 40.6), ("gps_lng", 22.9), ("velocity", 17), ("soc", 55), ("mood", 3)
        )
    ]  # fmt: skip
    server.put("\n".join(lines).encode())
    server.flush()
    back, _, used = read(source(address, "iot_"))
    assert back.to_pylist() == [
        {"vehicle_id": "x1", "recorded_at": FIRST.replace(tzinfo=None), "lat": 40.6, "lon": 22.9,
         "speed_kmh": 17.0, "battery_pct": 55.0, "hdop": None, "locked": None}
    ]  # fmt: skip
    assert "Metrics not used: iot_mood." in used.report().notes


def test_faults_are_counted_as_in_files(address: str) -> None:
    rows = pings(1, 1, each=6).to_pylist()
    rows[0]["lat"], rows[0]["lon"] = 0.0, 0.0
    rows[1]["speed_kmh"] = 189.0
    rows[2]["battery_pct"] = 140.0
    rows[3]["lat"] = 95.0
    table = pa.Table.from_pylist(rows, schema=schema_of(TELEMETRY))
    to_victoria(tables(table), VictoriaServer(address), now=NOW, prefix="c_")
    _, _, used = read(source(address, "c_"))
    assert {entry.reason: entry.rows for entry in used.report().dropped} == {
        "position 0, 0": 1, "speed above 120 km/h": 1, "battery_pct outside 0 to 100": 1,
        "position off the earth": 1,
    }  # fmt: skip


def test_samples_older_than_the_server_keeps_are_told_before_and_after() -> None:
    rows = pings(1, 3, each=20)
    with running_victoria(DEDUP, retention="2d") as address:
        with pytest.raises(FleetDeskError, match=r"would drop the oldest.*retentionPeriod=2d"):
            to_victoria(tables(rows), VictoriaServer(address), now=NOW)

        class Silent(VictoriaServer):
            def flags(self) -> None:
                return None

        with pytest.raises(FleetDeskError, match=r"Not all samples .*20 of 20 of fleetdesk_lat"):
            to_victoria(tables(rows), Silent(address), now=NOW, sleep=lambda _: None)


def test_a_server_that_counts_repeats_twice_is_not_made_to() -> None:
    rows = pings(2, 2, each=20)
    with running_victoria() as address:
        server = VictoriaServer(address)
        first = to_victoria(tables(rows), server, now=NOW)
        assert "without -dedup.minScrapeInterval=1ms" in first.as_dict()["text"]
        again = to_victoria(tables(rows), server, now=NOW)
        assert (again.days, again.there) == (0, 2)
        more = pa.concat_tables([rows, pings(3, 2, each=20)])
        with pytest.raises(FleetDeskError, match="count samples twice"):
            to_victoria(tables(more), server, now=NOW)
        assert read(source(address, "fleetdesk_"))[0].num_rows == len(rows)
        # Doubled by somebody else, it is told and read once.
        server.put(
            b"\n".join(server.export(["fleetdesk_lat", "fleetdesk_lon"], FIRST, FIRST + DAY))
        )
        server.flush()
        back, _, used = read(source(address, "fleetdesk_"))
        assert back.num_rows == len(rows)
        assert used.report().facts["samples that the server holds twice"] == 80


def test_servers_that_are_none(address: str) -> None:
    with pytest.raises(SourceUnreadable, match="begins with http"):
        VictoriaServer("localhost:8428")
    with pytest.raises(SourceUnreadable, match="no metric that begins with 'nothing_'"):
        read(source(address, "nothing_"))
    with pytest.raises(SourceUnreadable, match="no time between from and to"):
        source(address, "a_", since=NOW, until=FIRST)
    with pytest.raises(FleetDeskError, match="no telemetry to send"):
        to_victoria(tables(pings(1, 1)[:0]), VictoriaServer(address), now=NOW)
    silent = VictoriaServer("http://127.0.0.1:9", sleep=lambda _: None)
    with pytest.raises(SourceUnreadable, match="does not take samples"):
        silent.put(b"{}")
    with pytest.raises(SourceUnreadable, match="from cannot be read"):
        day_or_time("from", "yesterday")


@pytest.mark.parametrize(
    ("flag", "expected"),
    [("1ms", 0.001), ("0s", 0), ("24", 24 * 31 * 86400), ("2d", 172800), ("1y", 31536000),
     ("1.5h", 5400), ("soon", None)],
)  # fmt: skip
def test_time_spans_of_flags(flag: str, expected: float | None) -> None:
    assert seconds(flag) == expected
