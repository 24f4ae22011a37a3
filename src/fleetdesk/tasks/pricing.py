"""What a worker is offered for a task: high enough to be taken up, low enough to leave a gain.

A task worth V is offered at the p that makes the most of F(p) (V - p), F(p) being the share of
workers who accept. For a logistic F that is p = V - 1 / (beta (1 - F(p))). A part of the offers is
drawn at random, because prices that only ever follow the rule never show what others would do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import exp, log

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from fleetdesk.model.work import Task, TaskRoi
from fleetdesk.settings.schema import Settings
from fleetdesk.tasks.hold_back import lot

Floats = npt.NDArray[np.float64]

OFFERS_NEEDED = 50
_PRIOR_OFFERS = 10.0  # the prior weighs as much as so many offers


@dataclass(frozen=True)
class Acceptance:
    """F(p | x) = 1 / (1 + exp(-(alpha + beta p + gamma . x))), beta > 0.

    `alpha` and `beta` per unit of the city's currency; x are features of the task, none by default.
    """

    alpha: float
    beta: float
    gamma: tuple[float, ...] = ()

    def share(self, price: float, x: Sequence[float] = ()) -> float:
        """The share of workers who accept."""
        return float(expit(self.alpha + self.beta * price + self._shift(x)))

    def best_price(self, value: float, x: Sequence[float] = ()) -> float:
        """The p at which F(p | x) (V - p) is largest: p = V - (1 + W(e^u)) / beta."""
        u = self.alpha + self.beta * value + self._shift(x) - 1.0
        return value - (1.0 + _lambert_of_exp(u)) / self.beta

    def _shift(self, x: Sequence[float]) -> float:
        return sum(g * value for g, value in zip(self.gamma, x, strict=True))


@dataclass(frozen=True, slots=True)
class Offer:
    """What a task is offered at, in city currency, and whether the price was drawn at random."""

    task_id: str
    price: float
    drawn: bool


def prior(settings: Settings) -> Acceptance:
    """What is assumed before offers were answered.

    Half of the workers take a task at one and a half times its lowest pay, one in ten at that pay.
    """
    lowest = max(settings.costs.lowest_task_pay, 0.5)
    beta = log(9.0) / (0.5 * lowest)
    return Acceptance(alpha=-beta * 1.5 * lowest, beta=beta)


def learn(
    prices: Floats, accepted: npt.NDArray[np.bool_], start: Acceptance, x: Floats | None = None
) -> Acceptance:
    """The likeliest acceptance given answered offers (N,), leaning on `start`.

    `x` are features (N, K). Raises ValueError where the columns are not equally long.
    """
    features = np.zeros((prices.size, 0)) if x is None else x
    if not prices.size == accepted.size == features.shape[0]:
        raise ValueError(f"{prices.size} prices, {accepted.size} answers, {features.shape[0]} rows")
    middle = -start.alpha / start.beta

    def surprise(theta: Floats) -> float:
        slope = exp(theta[1])
        at = slope * (prices - theta[0]) + features @ theta[2:]
        likelihood = np.where(accepted, -np.logaddexp(0, -at), -np.logaddexp(0, at)).sum()
        away = ((theta[0] - middle) / middle) ** 2 + (theta[1] - log(start.beta)) ** 2
        return float(-likelihood + _PRIOR_OFFERS / 2 * (away + 0.1 * (theta[2:] ** 2).sum()))

    first = np.concatenate([[middle, log(start.beta)], np.zeros(features.shape[1])])
    found = minimize(surprise, first, method="BFGS").x
    beta = exp(float(found[1]))
    return Acceptance(-beta * float(found[0]), beta, tuple(float(g) for g in found[2:]))


def offers(
    tasks: Sequence[Task],
    rois: Mapping[str, TaskRoi],
    acceptance: Acceptance,
    settings: Settings,
    day: date,
) -> tuple[Offer, ...]:
    """A price for each task that is worth more than the lowest pay, in the order of `tasks`.

    V is the ROI before labour, since the price takes labour's place. Prices lie between the lowest
    pay and V; the drawn ones lie anywhere there, by seed, day and task.
    """
    costs, seed = settings.costs, settings.city.seed
    found = []
    for task in tasks:
        roi = rois[task.task_id]
        value, floor = roi.roi + roi.labour_cost, costs.lowest_task_pay
        if value < floor:
            continue
        drawn = 100 * lot(seed, day, f"{task.task_id} offer") < costs.random_offer_pct
        if drawn:
            price = floor + lot(seed, day, f"{task.task_id} price") * (value - floor)
        else:
            price = min(max(acceptance.best_price(value), floor), value)
        found.append(Offer(task.task_id, round(price, 2), drawn))
    return tuple(found)


def _lambert_of_exp(u: float) -> float:
    """W(e^u), the w with w + log w = u; by Newton's method, for any u without overflow."""
    w = u - log(u) if u > 3 else exp(u) / (1 + exp(u))
    for _ in range(50):
        step = (w + log(w) - u) / (1 + 1 / w)
        w = max(w - step, w / 10)
        if abs(step) < 1e-12 * w:
            break
    return w
