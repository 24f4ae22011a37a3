from __future__ import annotations

import pytest

from fleetdesk.model.feature_words import in_words


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        ("complaints_30d", "complaints in 30 days"),
        ("trips_90d", "trips in 90 days"),
        ("growth_pct", "growth (%)"),
        ("speed_kmh", "speed (km/h)"),
        ("days_since_last_trip", "days since last trip"),
    ],
)
def test_a_feature_is_named_with_its_unit_and_its_window(feature: str, told: str) -> None:
    assert in_words(feature) == told
