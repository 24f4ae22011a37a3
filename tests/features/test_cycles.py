from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetdesk.features.cycles import cycles, timeline
from fleetdesk.features.trips import priced
from fleetdesk.settings.schema import Costs

T0 = datetime(2024, 6, 3)
END = datetime(2024, 6, 5, tzinfo=UTC)  # 48 hours after T0
AVAILABLE, OUT, GONE = "available", "non_operational", "removed"
DROP, LOW = "provider_drop_off", "battery_low"


@pytest.fixture(scope="module")
def ledger(history):
    """`ledger(events, trips)` -> the cycles' rows; their SQL is the same for all, and to write it
    takes longer than to run it."""
    engine = ibis.duckdb.connect()

    def fill(events, trips):
        for name, rows in zip(("events", "trips"), history(events, trips), strict=True):
            engine.create_table(name, rows.to_pyarrow(), overwrite=True)

    @cache
    def sql(**options):
        told = timeline(engine.table("events"), END, **options)
        return engine.compile(cycles(told, priced(engine.table("trips"), Costs()), END))

    def make(events, trips=(), **options):
        fill(events, trips)
        found = engine.raw_sql(sql(**options)).to_arrow_table().to_pylist()
        return sorted(found, key=lambda row: (row["vehicle_id"], row["cycle_no"]))

    return make


@pytest.mark.parametrize(
    ("end", "cause", "observed"),
    [
        ((10, OUT, "battery_low"), "battery_low", True),
        ((10, OUT, "trip_end+battery_low"), "battery_low", True),
        ((10, OUT, "maintenance"), "maintenance", True),
        ((10, GONE, "rebalance_pick_up"), "collected", True),
        ((10, GONE, "maintenance_pick_up"), "collected", True),
        ((10, GONE, "compliance_pick_up"), "collected", True),
        ((10, GONE, "agency_pick_up"), "collected", True),
        ((10, GONE, "decommissioned"), "collected", True),
        ((10, "missing", "not_located"), "missing", True),
        ((10, OUT, "off_hours"), "off_hours", False),
        ((10, OUT, "system_suspend"), "system_suspend", False),
        ((10, OUT, "unspecified"), "unspecified", False),
        ((10, "non_contactable", "comms_lost"), "comms_lost", False),
        ((10, "elsewhere", "trip_leave_jurisdiction"), "left_jurisdiction", False),
    ],
)
def test_each_end_has_its_cause(ledger, end, cause, observed):
    (row,) = ledger([(0, AVAILABLE, DROP), (4, "on_trip", "trip_start"), end])
    assert (row["end_cause"], row["event_observed"]) == (cause, observed)
    assert row["operational_h"] == 10
    assert row["ended_at"] == T0 + timedelta(hours=10)


def test_a_cycle_that_still_runs_is_censored_at_the_end_of_the_data(ledger):
    (row,) = ledger([(8, AVAILABLE, DROP)])
    assert (row["end_cause"], row["event_observed"]) == ("end_of_data", False)
    assert row["operational_h"] == 40
    assert row["ended_at"] == END.replace(tzinfo=None)


def test_a_whole_cycle_in_all_its_figures(ledger):
    rows = ledger(
        [
            (0, AVAILABLE, DROP, 100.0, "aaaaaaa"),
            (2, "reserved", "reservation_start", 100.0, "aaaaaaa"),
            (2.25, "on_trip", "trip_start", 99.0, "aaaaaaa"),
            (2.5, AVAILABLE, "trip_end", 80.0, "bbbbbbb"),
            (5, "on_trip", "trip_start", 78.0, "bbbbbbb"),
            (5.5, OUT, "trip_end+battery_low", 8.0, "ccccccc"),
            (9.5, GONE, "maintenance_pick_up", 7.0, "ccccccc"),
            (12.5, AVAILABLE, DROP, 98.0, "ddddddd"),
        ],
        [(2.25, 2.5, 3.0), (5, 5.5, 4.0), (13, 13.5, 5.0)],
    )
    first, second = rows
    assert first["operational_h"] == 5.5
    assert first["pending_h"] == 4
    assert first["task_h"] == 3
    assert (first["trips"], first["revenue"]) == (2, 7.0)
    assert (first["entry_battery_pct"], first["exit_battery_pct"]) == (100.0, 8.0)
    assert first["battery_used_pct"] == 92.0
    assert (first["entry_cell"], first["exit_cell"]) == ("aaaaaaa", "ccccccc")
    assert (first["start_cause"], first["start_observed"]) == ("drop-off", True)
    assert (second["start_cause"], second["trips"], second["revenue"]) == ("maintenance", 1, 5.0)
    assert second["entry_battery_pct"] == 98.0


@pytest.mark.parametrize(
    ("pick_up", "reason"),
    [
        ("rebalance_pick_up", "rebalance"),
        ("maintenance_pick_up", "maintenance"),
        ("compliance_pick_up", "compliance"),
        ("agency_pick_up", "agency"),
        ("unspecified", "drop-off"),
    ],
)
def test_a_drop_off_inherits_the_reason_of_its_pick_up(ledger, pick_up, reason):
    _, second = ledger([(0, AVAILABLE, DROP), (1, GONE, pick_up), (2, AVAILABLE, DROP)])
    assert second["start_cause"] == reason
    assert second["entry_age_h"] == 0


def test_a_pick_up_before_the_first_cycle_gives_its_reason_too(ledger):
    (row,) = ledger([(0, GONE, "rebalance_pick_up"), (2, AVAILABLE, DROP)])
    assert (row["start_cause"], row["start_observed"]) == ("rebalance", True)


def test_a_swap_on_the_spot_ends_one_cycle_and_starts_the_next(ledger):
    rows = ledger(
        [
            (0, AVAILABLE, DROP, 60.0),
            (1, "on_trip", "trip_start", 58.0),
            (2, AVAILABLE, "trip_end", 30.0),
            (3, AVAILABLE, "reservation_cancel"),  # tells no charge, so the jump is seen across it
            (6, "on_trip", "trip_start", 95.0),
            (7, AVAILABLE, "trip_end", 70.0),
        ],
        [(1, 2, 2.0), (6, 7, 3.0)],
    )
    assert [row["end_cause"] for row in rows] == ["swapped", "end_of_data"]
    assert [row["start_cause"] for row in rows] == ["drop-off", "swap"]
    assert [row["operational_h"] for row in rows] == [6, 42]
    assert [row["battery_used_pct"] for row in rows] == [30.0, 25.0]
    assert [row["revenue"] for row in rows] == [2.0, 3.0]
    assert rows[0]["event_observed"]


def test_a_small_rise_is_noise_and_the_limit_is_an_argument(ledger):
    events = [(0, AVAILABLE, DROP, 60.0), (1, "on_trip", "trip_start", 70.0)]
    assert len(ledger(events)) == 1
    assert len(ledger(events, swap_jump_pct=10.0)) == 2


def test_a_charge_while_rentable_is_a_swap_even_without_a_gauge(ledger):
    rows = ledger([(0, AVAILABLE, DROP), (5, AVAILABLE, "battery_charged")])
    assert [row["end_cause"] for row in rows] == ["swapped", "end_of_data"]
    assert rows[1]["start_cause"] == "charge"


def test_a_charge_that_tells_no_battery_is_not_seen_again_when_the_battery_is_told(ledger):
    rows = ledger(
        [
            (0, AVAILABLE, DROP, 40.0),
            (5, AVAILABLE, "battery_charged"),
            (6, "on_trip", "trip_start", 95.0),
        ]
    )
    assert [row["start_cause"] for row in rows] == ["drop-off", "charge"]


def test_a_drop_off_whose_pick_up_was_not_reported(ledger):
    rows = ledger([(0, AVAILABLE, DROP), (5, AVAILABLE, DROP)])
    assert [row["end_cause"] for row in rows] == ["collected", "end_of_data"]
    assert [row["end_declared"] for row in rows] == [False, True]
    assert all(row["start_declared"] for row in rows)


def test_each_row_says_whether_its_start_and_end_were_declared(ledger):
    rows = ledger(
        [
            (0, AVAILABLE, DROP, 60.0),
            (5, "on_trip", "trip_start", 95.0),  # swapped, and nobody said so
            (9, AVAILABLE, "battery_charged", 99.0),
            (12, GONE, "maintenance_pick_up"),
        ]
    )
    assert [row["end_cause"] for row in rows] == ["swapped", "swapped", "collected"]
    assert [row["start_declared"] for row in rows] == [True, False, True]
    assert [row["end_declared"] for row in rows] == [False, True, True]


def test_after_a_pause_the_age_goes_on(ledger):
    rows = ledger(
        [
            (0, AVAILABLE, DROP),
            (10, OUT, "off_hours"),
            (16, AVAILABLE, "on_hours"),
            (20, "non_contactable", "comms_lost"),
            (21, AVAILABLE, "comms_restored"),
            (24, OUT, LOW),
            (26, AVAILABLE, "battery_charged"),
        ]
    )
    assert [row["entry_age_h"] for row in rows] == [0, 10, 14, 0]
    assert [row["operational_h"] for row in rows] == [10, 4, 3, 22]
    assert [row["paused_h"] for row in rows] == [6, 1, 0, 0]
    assert [row["event_observed"] for row in rows] == [False, False, True, False]
    assert [row["start_cause"] for row in rows] == ["drop-off", "resumed", "resumed", "charge"]
    assert all(row["start_observed"] for row in rows)


def test_a_vehicle_first_seen_on_the_street_has_an_unknown_age(ledger):
    rows = ledger([(0, AVAILABLE, "trip_end"), (3, OUT, LOW), (5, AVAILABLE, "battery_charged")])
    assert [row["start_observed"] for row in rows] == [False, True]
    assert rows[0]["start_cause"] == "first seen"


def test_a_charge_that_nobody_saw_starts_afresh_when_the_view_returns(ledger):
    rows = ledger(
        [
            (0, AVAILABLE, DROP, 50.0),
            (2, "non_contactable", "comms_lost", 40.0),
            (9, AVAILABLE, "comms_restored", 99.0),
        ]
    )
    assert [row["entry_age_h"] for row in rows] == [0, 0]
    assert rows[1]["start_cause"] == "swap"


def test_removed_to_non_operational_is_lived_with(ledger):
    rows = ledger(
        [
            (0, AVAILABLE, DROP),
            (4, GONE, "maintenance_pick_up"),
            (6, OUT, "comms_restored"),
            (7, AVAILABLE, "comms_restored"),
        ]
    )
    assert [row["task_h"] for row in rows] == [2, 0]
    assert [row["pending_h"] for row in rows] == [1, 0]
    assert rows[1]["start_cause"] == "maintenance"
    assert rows[1]["entry_age_h"] == 0


def test_what_happens_after_the_end_of_the_data_is_not_looked_at(ledger):
    early = ledger([(0, AVAILABLE, DROP)], [(1, 2, 3.0)])
    late = ledger(
        [(0, AVAILABLE, DROP), (60, OUT, LOW)],
        [(1, 2, 3.0), (47, 49, 5.0), (50, 51, 5.0)],
    )
    assert early == late


def test_nothing_in_typed_nothing_out(history, run):
    events, trips = history([], [])
    empty = cycles(timeline(events, END), priced(trips, Costs()), END)
    assert run(empty) == []
    schema = empty.schema()
    assert schema["started_at"].is_timestamp()
    assert schema["event_observed"].is_boolean()
    assert schema["trips"].is_integer()
    assert schema["revenue"].is_floating()


STATES = st.sampled_from(
    [
        (AVAILABLE, DROP), (AVAILABLE, "trip_end"), (AVAILABLE, "on_hours"),
        ("on_trip", "trip_start"), (OUT, LOW), (OUT, "off_hours"), (GONE, "rebalance_pick_up"),
        ("non_contactable", "comms_lost"), ("missing", "not_located"), (AVAILABLE, "maintenance"),
    ]
)  # fmt: skip
EVENTS = st.lists(
    st.tuples(
        st.sampled_from("abcdefgh"), st.integers(0, 47), STATES, st.floats(0, 100) | st.none()
    ),
    min_size=20,
    max_size=60,
    unique_by=lambda event: (event[0], event[1]),
)


@settings(max_examples=4, deadline=None)
@given(EVENTS, st.randoms(use_true_random=False))
def test_every_hour_is_somewhere_once_and_order_does_not_matter(history, run, raw, shuffle):
    rows = [(v, h, state, types, battery) for v, h, (state, types), battery in raw]
    events, trips = history(rows)
    frame = events.to_pyarrow()
    shuffled = list(range(len(rows)))
    shuffle.shuffle(shuffled)
    noisy = frame.take(shuffled).append_column("noise", pa.array(shuffled))
    no_trips = priced(trips, Costs())
    found = run(cycles(timeline(events, END), no_trips, END).order_by("vehicle_id", "cycle_no"))
    again = run(
        cycles(timeline(ibis.memtable(noisy), END), no_trips, END).order_by(
            "vehicle_id", "cycle_no"
        )
    )
    assert found == again
    assert events.to_pyarrow().equals(frame)
    for vehicle in {row["vehicle_id"] for row in found}:
        mine = [row for row in found if row["vehicle_id"] == vehicle]
        parts = ("operational_h", "pending_h", "task_h", "paused_h")
        total = sum(row[part] for row in mine for part in parts)
        since = END.replace(tzinfo=None) - mine[0]["started_at"]
        assert total == pytest.approx(since.total_seconds() / 3600)
        assert all(
            row["operational_h"]
            == pytest.approx((row["ended_at"] - row["started_at"]).total_seconds() / 3600)
            for row in mine
        )
