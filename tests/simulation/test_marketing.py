"""What riders were offered and said holds the truth that was put in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fleetdesk.simulation.city import demo_city
from fleetdesk.simulation.engine import City, build_city
from fleetdesk.simulation.marketing import (
    DRAWN_SHARES,
    GAINS,
    OFFERS,
    SEGMENTS,
    offers_table,
    ratings_table,
)
from fleetdesk.simulation.riders import Riders, first_riders


@pytest.fixture(scope="module")
def city() -> City:
    """With many riders; who they are does not need a single trip."""
    return build_city(replace(demo_city(vehicles=20, days=2), riders=60_000), 5)


@pytest.fixture(scope="module")
def offers(city: City) -> pd.DataFrame:
    return offers_table(city).to_pandas()


def test_offers_are_drawn_as_their_propensity_says(offers):
    shares = offers["offer"].value_counts(normalize=True)
    for offer, share in zip(OFFERS, DRAWN_SHARES, strict=True):
        assert shares[offer] == pytest.approx(share, abs=0.01)
        assert set(offers.loc[offers["offer"] == offer, "propensity"]) == {share}
    assert offers["rider_id"].is_unique
    assert offers["accepted"].isna().equals(offers["offer"] == "none")


def test_who_takes_an_offer_brings_what_was_planted(offers):
    means = offers.assign(taken=offers["accepted"].eq(True)).groupby(["segment", "offer", "taken"])
    value, error = means["value"].mean(), means["value"].sem()
    for segment, gains in zip(SEGMENTS, GAINS, strict=True):
        for offer, gain in zip(OFFERS[1:], gains[1:], strict=True):
            found = value[segment, offer, True] - value[segment, "none", False]
            unsure = np.hypot(error[segment, offer, True], error[segment, "none", False])
            assert abs(found - gain) < 4 * unsure
            assert unsure < 0.5


def test_who_complained_or_cooled_recommends_less(city):
    riders = first_riders(city.spec, city.people, 5)
    riders.left[:] = False
    riders.activity[:] = 1.0
    calm = _scores(city, riders)
    riders.complaints[:] = 2.0
    assert _scores(city, riders).mean() < calm.mean() - 1.5
    riders.complaints[:] = 0.0
    riders.activity[:] = 0.2
    assert _scores(city, riders).mean() < calm.mean() - 1.5
    assert calm.between(0, 10).all() and len(calm) > 200


def _scores(city: City, riders: Riders) -> pd.Series:
    return ratings_table(city, riders, 0, 86_400, 1).to_pandas()["score"]
