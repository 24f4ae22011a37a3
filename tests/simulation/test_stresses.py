"""What a benchmark may change about a city, each seen in what it does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fleetdesk.simulation.city import CitySpec, demo_city
from fleetdesk.simulation.generate import generate
from fleetdesk.simulation.layout import build_layout

SPEC = replace(demo_city(vehicles=120, days=2, demand_per_vehicle=6.0), weather_effect=0.0)


def _table(spec: CitySpec, name: str) -> list[dict[str, object]]:
    return [row for batch in generate(spec, 4) for row in batch.tables[name].to_pylist()]


def test_biased_deployment_puts_more_vehicles_where_most_are_wanted():
    fair, biased = build_layout(SPEC), build_layout(replace(SPEC, deployment_bias=1.0))
    top = np.argsort(-fair.target, kind="stable")[:5]
    assert biased.target[top].sum() > 1.2 * fair.target[top].sum()
    assert biased.target.sum() == pytest.approx(fair.target.sum(), rel=0.25)


def test_crews_told_to_come_earlier_meet_fuller_batteries():
    strong = replace(SPEC, crew_strength=3.0, days=3)
    usual = [row["battery_before_pct"] for row in _table(strong, "service_tasks")]
    early = _table(replace(strong, service_below_extra_pct=25.0), "service_tasks")
    # The night shift's 38 % and 25 more; once in a while a rider has just swapped it.
    swaps = [row["battery_before_pct"] for row in early if row["task_kind"] == "swap"]
    assert 42.0 < np.quantile(swaps, 0.9) < 63.1
    assert np.mean([row["battery_before_pct"] for row in early]) > np.mean(usual)


def test_riders_with_likings_walk_farther_than_to_the_nearest():
    """They spread over the vehicles that they could take: more of them are taken at all."""
    nearest, liked = _table(SPEC, "trips"), _table(replace(SPEC, liking_m=100.0), "trips")
    assert len(liked) == pytest.approx(len(nearest), rel=0.15)
    ridden = [len({row["vehicle_id"] for row in trips}) for trips in (nearest, liked)]
    assert ridden[1] >= ridden[0]
    counts = [np.unique([r["vehicle_id"] for r in trips], return_counts=True)[1]
              for trips in (nearest, liked)]  # fmt: skip
    assert np.std(counts[1]) < np.std(counts[0])
