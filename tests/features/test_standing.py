"""Which vehicles stood on the street at a moment, with the charge last known then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fleetdesk.features.cycles import timeline
from fleetdesk.features.standing import standing

T0 = datetime(2024, 6, 3, tzinfo=UTC)
END = datetime(2024, 6, 5, tzinfo=UTC)


def test_the_street_at_three_moments(history, run):
    events, _ = history(
        [("a", 0, "available", "provider_drop_off", 90), ("a", 5, "on_trip", "trip_start", None),
         ("a", 6, "available", "trip_end", 70), ("a", 20, "non_operational", "battery_low", 4),
         ("b", 1, "non_operational", "maintenance", 50), ("c", 3, "removed", "agency_pick_up")]
    )  # fmt: skip
    moments = [T0 + timedelta(hours=h) for h in (5.5, 6, 30)]
    found = run(standing(timeline(events, END), moments).order_by("at"))
    assert [(row["at"].hour, row["battery_pct"], row["rentable"]) for row in found] == [
        (6, 70, True), (6, 4, False),
    ]  # fmt: skip
    assert {row["vehicle_id"] for row in found} == {"a"}


def test_no_moments_no_rows(history, run):
    events, _ = history([(0, "available", "provider_drop_off", 90)])
    assert run(standing(timeline(events, END), [])) == []
