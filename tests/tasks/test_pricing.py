"""Offers by willingness to accept: the best price is the best one, and the clips hold."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetdesk.model.places import Point
from fleetdesk.model.work import Rule, ScooterState, Task, TaskKind, TaskRoi
from fleetdesk.settings.schema import Costs, Settings
from fleetdesk.tasks.pricing import Acceptance, learn, offers, prior

DAY = date(2024, 6, 3)
SETTINGS = Settings(costs=Costs(lowest_task_pay=2, random_offer_pct=10))


@given(st.floats(-20, 5), st.floats(0.05, 10), st.floats(0, 60))
def test_no_other_price_gains_more(alpha, beta, value):
    workers = Acceptance(alpha, beta)
    best = workers.best_price(value)
    assert best <= value

    def gain(price):
        return workers.share(price) * (value - price)

    tried = np.linspace(best - 20 / beta, value, 400)
    assert gain(best) >= max(gain(price) for price in tried) * (1 - 1e-6) - 1e-12


@given(st.floats(-5, 2), st.floats(0.3, 3), st.floats(5, 40))
def test_the_best_price_solves_the_published_condition(alpha, beta, value):
    workers = Acceptance(alpha, beta)
    best = workers.best_price(value)
    share = workers.share(best)
    assert best == pytest.approx(value - 1 / (beta * (1 - share)), rel=1e-6, abs=1e-6)


def test_answers_teach_what_workers_accept():
    generator = np.random.default_rng(0)
    truth = Acceptance(-6.0, 1.2, (0.8,))
    prices, far = generator.uniform(1, 10, 4000), generator.normal(size=(4000, 1))
    accepted = np.array(
        [
            generator.random() < truth.share(p, x)
            for p, x in zip(prices.tolist(), far.tolist(), strict=True)
        ]
    )
    found = learn(prices, accepted, prior(SETTINGS), far)
    assert found.beta == pytest.approx(1.2, abs=0.12)
    assert -found.alpha / found.beta == pytest.approx(5.0, abs=0.2)
    assert found.gamma[0] == pytest.approx(0.8, abs=0.12)


def test_without_answers_the_prior_stands():
    start = prior(SETTINGS)
    found = learn(np.empty(0), np.empty(0, dtype=bool), start)
    assert (found.alpha, found.beta) == (pytest.approx(start.alpha), pytest.approx(start.beta))
    assert start.share(2) == pytest.approx(0.1)
    assert start.share(3) == pytest.approx(0.5)


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="2 prices, 1 answers"):
        learn(np.ones(2), np.ones(1, dtype=bool), prior(SETTINGS))


def some(count, worth=10.0):
    here = Point(40.63, 22.94)
    state = ScooterState(here, here.cell(6), 10, True)
    tasks = [
        Task(f"v{i} swap", f"v{i}", (TaskKind.SWAP_BATTERY,), (Rule.LOW_BATTERY,), state, state, 9)
        for i in range(count)
    ]
    rois = {t.task_id: TaskRoi(t.task_id, worth + 1, 0, 1.5, 0.5, 24, "v0") for t in tasks}
    return tasks, rois


def test_offers_lie_between_the_lowest_pay_and_what_the_task_is_worth():
    tasks, rois = some(1000)
    found = offers(tasks, rois, prior(SETTINGS), SETTINGS, DAY)
    value = 10 + 1 - 1.5 + 0.5
    assert all(2 <= offer.price <= value for offer in found)
    drawn = [offer.price for offer in found if offer.drawn]
    assert 60 < len(drawn) < 140
    assert max(drawn) - min(drawn) > 6
    assert len({offer.price for offer in found if not offer.drawn}) == 1
    assert offers(tasks[::-1], rois, prior(SETTINGS), SETTINGS, DAY)[::-1] == found


def test_what_is_not_worth_the_lowest_pay_is_not_offered():
    tasks, rois = some(5, worth=1.0)
    assert not offers(tasks, rois, prior(SETTINGS), SETTINGS, DAY)
