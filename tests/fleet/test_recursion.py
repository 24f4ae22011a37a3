from __future__ import annotations

import numpy as np
import pytest

from fleetdesk.fleet.battery_multiplier import Multiplier
from fleetdesk.fleet.counts import CLASSES
from fleetdesk.fleet.hourly_rates import HourlyRates, Kappas
from fleetdesk.fleet.laws import USE_CLASSES, Laws
from fleetdesk.fleet.recursion import backward, steps_of

PLAIN = np.ones(CLASSES)
SLOTS_AHEAD = np.tile(np.arange(12), 4)


def city(
    rates, goals=None, uses=0.0, per_trip=2.0, fault=0.0, standing=0.0, multiplier=PLAIN, swaps=0.0
):
    size = len(rates)
    per_h = np.repeat(np.array(rates, dtype=float)[:, None], 48, axis=1)
    goals = np.eye(size) if goals is None else np.array(goals, dtype=float)
    law = Laws(
        rates=HourlyRates(
            per_h,
            Multiplier(np.tile(multiplier, (size, 1))),
            Kappas(1, 1, 1, 1, 1),
        ),
        goals=np.repeat(goals[None], 4, axis=0),
        per_trip=np.full(size, per_trip),
        uses_pct=np.full((size, USE_CLASSES), uses),
        fault_per_h=fault,
        standing_pct_per_h=standing,
        swaps=np.full((size, CLASSES), swaps),
    )
    none = np.zeros(0, dtype=np.int64)
    return steps_of(law, per_h[:, None, :], np.zeros((0, 48)), none, 10.0, 0.5)


def values(steps, slots=SLOTS_AHEAD, counted=1.0):
    size = steps.goals.shape[1]
    return backward(steps, slots, np.full((slots.size, size), counted), np.ones((slots.size, 0)))


def q(rate):
    return 1 - np.exp(-0.5 * rate)


def test_without_use_or_faults_every_step_earns_alike():
    found = values(city([0.4, 1.0]))
    steps = np.arange(SLOTS_AHEAD.size + 1)
    for cell, rate in enumerate([0.4, 1.0]):
        assert found[:, cell, -1] == pytest.approx(steps * q(rate) * 2.0)


def test_a_trip_that_takes_all_the_charge_is_the_last():
    found = values(city([0.4], uses=95.0))
    chance = 1 - (1 - q(0.4)) ** SLOTS_AHEAD.size
    assert found[-1, 0, 1:] == pytest.approx(2.0 * chance)
    assert found[:, 0, 0].tolist() == [0.0] * (SLOTS_AHEAD.size + 1)


def test_a_fault_ends_it():
    found = values(city([0.4], fault=0.3))
    lasts = np.exp(-0.3 * 0.5)
    assert found[-1, 0, -1] == pytest.approx(
        2.0 * q(0.4) * (1 - lasts**SLOTS_AHEAD.size) / (1 - lasts)
    )


def test_the_goal_counts_for_what_comes_after():
    """From the dull cell every trip leads to the busy one, which it never leaves."""
    found = values(city([0.1, 1.0], goals=[[0, 1], [0, 1]]))
    k, dull, busy = SLOTS_AHEAD.size, q(0.1), q(1.0)
    by_hand = sum((1 - dull) ** j * dull * (2.0 + (k - j - 1) * busy * 2.0) for j in range(k))
    assert found[-1, 0, -1] == pytest.approx(by_hand)


def test_standing_uses_the_charge_up():
    found = values(city([1e-9], standing=2.0))
    lasting = values(city([0.4], standing=2.0))
    assert found.max() < 1e-6
    # 2 % an hour leave 5 % above the usable charge for about two and a half hours.
    at_15 = lasting[-1, 0, list(city([0.4]).charges).index(15.0)]
    assert q(0.4) * 2.0 * 3 < at_15 < q(0.4) * 2.0 * 9


def test_what_does_not_count_still_moves_and_uses():
    whole, half = values(city([0.4], uses=20.0)), values(city([0.4], uses=20.0), counted=0.5)
    assert half == pytest.approx(whole / 2)


def test_who_would_have_served_the_trip_stays_where_it_stands():
    """From the dull cell every trip leads to the busy one; three in four would be served anyway."""
    new, dull, busy = 0.25, q(0.1), q(1.0)
    found = values(city([0.1, 1.0], goals=[[0, 1], [0, 1]]), counted=new)
    there = here = 0.0
    for _ in SLOTS_AHEAD:
        moved = there + (1 - new) * (here - there)
        here, there = here + dull * (new * 2.0 + moved - here), there + busy * new * 2.0
    assert found[-1, :, -1] == pytest.approx([here, there])


def test_whoever_always_swaps_never_runs_empty():
    found = values(city([0.4], uses=95.0, swaps=1.0))
    assert found[-1, 0, -1] == pytest.approx(SLOTS_AHEAD.size * q(0.4) * 2.0)


def test_a_monte_carlo_of_the_same_laws_agrees():
    """Riders, goals, charges, faults and riders' swaps drawn one by one, by different charge."""
    goals, rates = np.array([[0.3, 0.7], [0.6, 0.4]]), np.array([0.5, 1.2])
    factors = np.repeat([0.3, 0.8, 1.0], [6, 4, CLASSES - 10])
    low = Multiplier(factors[None, :])

    def apart(left):
        return np.sqrt(1 - low.at(left)[0] / factors[-1])

    steps = city(rates, goals, uses=10.0, fault=0.02, multiplier=factors, swaps=0.05)
    found = values(steps)
    chance, runs = np.random.default_rng(4), 40_000
    for start, charge in ((0, 30.0), (1, 100.0)):
        cell, left, kind = np.full(runs, start), np.full(runs, charge), np.resize([1, -1], runs)
        earned, alive = np.zeros(runs), np.ones(runs, dtype=bool)
        for _ in range(SLOTS_AHEAD.size):
            often = rates[cell] * low.at(left)[0] * (1 + kind * apart(left))
            taken = alive & (left > 10) & (chance.random(runs) < 1 - np.exp(-0.5 * often))
            earned += 2.0 * taken
            alive &= chance.random(runs) < steps.lasting
            cell = np.where(taken, (chance.random(runs) < goals[cell, 1]).astype(int), cell)
            left = np.where(taken, left - 10.0, left)
            left = np.where(taken & (chance.random(runs) < 0.05), 100.0, left)
            favoured = chance.random(runs) < (1 + apart(left) / 2) / 2
            kind = np.where(taken, np.where(favoured, 1, -1), kind)
        at = list(steps.charges).index(charge)
        error = earned.std() / np.sqrt(runs)
        assert abs(found[-1, start, at] - earned.mean()) < 4 * error + 0.02
