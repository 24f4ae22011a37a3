"""How long each rider will stay: an accelerated-failure-time model that also reaches past the data.

Weibull or log-logistic, whichever the stays speak for (AIC). What is kept of a fit is plain
numbers, so that it can be written as JSON.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import LogLogisticAFTFitter, WeibullAFTFitter
from lifelines.exceptions import ConvergenceError

from fleetdesk.errors import NotEnoughData
from fleetdesk.riders.matrix import Floats, numbers
from fleetdesk.riders.retention import Columns, design, framed

WEIBULL, LOG_LOGISTIC = "Weibull", "log-logistic"
_FITTERS = {
    WEIBULL: (WeibullAFTFitter, "lambda_", "rho_"),
    LOG_LOGISTIC: (LogLogisticAFTFitter, "alpha_", "beta_"),
}
_EVENTS_PER_FACTOR = 5
FEWEST_ENDED = 10


@dataclass(frozen=True)
class Lifetimes:
    """A fitted model: scale = exp(intercept + factors x effects), one shape for all.

    `draws` are parameters (intercept, effects, log shape) drawn from their uncertainty, one row
    each. `fill` is each factor's value for who lacks it.
    """

    law: str
    factors: tuple[str, ...]
    fill: tuple[float, ...]
    parameters: tuple[float, ...]
    draws: Floats
    concordance: float
    aic: float

    def survival(self, riders: pd.DataFrame, months: Floats, draw: int | None = None) -> Floats:
        """The chance to stay `months` long from the start, riders x months."""
        given = np.asarray(self.parameters) if draw is None else self.draws[draw]
        scale = np.exp(given[0] + self._matrix(riders) @ given[1:-1])
        ratio = (np.asarray(months)[None, :] / scale[:, None]) ** np.exp(given[-1])
        return np.asarray(np.exp(-ratio) if self.law == WEIBULL else 1.0 / (1.0 + ratio))

    def staying(
        self, riders: pd.DataFrame, so_far: Floats, months: Floats, draw: int | None = None
    ) -> Floats:
        """The chance to be there `months` from now after `so_far` months, riders x months."""
        given = np.asarray(self.parameters) if draw is None else self.draws[draw]
        scale = np.exp(given[0] + self._matrix(riders) @ given[1:-1])[:, None]
        shape = np.exp(given[-1])
        now = (np.maximum(so_far, 0.0)[:, None] / scale) ** shape
        then = ((np.maximum(so_far, 0.0)[:, None] + np.asarray(months)[None, :]) / scale) ** shape
        chance = np.exp(now - then) if self.law == WEIBULL else (1.0 + now) / (1.0 + then)
        return np.asarray(chance)

    def _matrix(self, riders: pd.DataFrame) -> Floats:
        columns = []
        for name, fill in zip(self.factors, self.fill, strict=True):
            column, _, word = name.partition(": ")
            if word:
                words = riders[column].astype(object).where(riders[column].notna(), "none")
                columns.append((words.astype(str) == word).to_numpy().astype(float))
            else:
                values = numbers(riders[column])
                columns.append(np.where(np.isnan(values), fill, values))
        return np.column_stack(columns) if columns else np.zeros((len(riders), 0))


def fit_lifetimes(
    stays: pd.DataFrame, seed: int, columns: Columns | None = None, draws: int = 100
) -> Lifetimes:
    """Fit both laws and keep the better; factors only where enough riders left to tell them.

    Raises NotEnoughData where fewer than 10 stays ended.
    """
    columns = columns or Columns()
    ended = int(stays[columns.ended].sum())
    if ended < FEWEST_ENDED:
        raise NotEnoughData(
            "Too few stays in a package have ended to say how long riders stay",
            found=f"{ended} of {len(stays)} stays ended",
            fix=f"At least {FEWEST_ENDED} are needed; import older subscriptions",
        )
    factors = design(stays, columns)
    if ended < _EVENTS_PER_FACTOR * factors.shape[1]:
        factors = factors.iloc[:, :0]
    tries = [factors] if factors.empty else [factors, factors.iloc[:, :0]]
    for chosen in tries:
        fits = [fit for law in _FITTERS if (fit := _fit(law, stays, chosen, columns, seed, draws))]
        if fits:
            return min(fits, key=lambda fit: fit.aic)
    raise NotEnoughData(
        "The stays do not say how long riders stay",
        found=f"{ended} of {len(stays)} stays ended, and no model fits them",
        fix="Look for wrong dates in the subscriptions",
    )


def _fit(
    law: str, stays: pd.DataFrame, factors: pd.DataFrame, columns: Columns, seed: int, draws: int
) -> Lifetimes | None:
    frame = framed(stays, factors, columns)
    # An ending within the first hour has no logarithm worth having.
    frame[columns.duration] = frame[columns.duration].clip(lower=1.0 / 720)
    entry = columns.entry if columns.entry in frame else None
    fitter, scale, shape = _FITTERS[law]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = fitter(penalizer=1e-4).fit(
                frame, columns.duration, columns.ended, entry_col=entry
            )
    except (ConvergenceError, np.linalg.LinAlgError):
        return None
    order = [(scale, "Intercept"), *((scale, str(name)) for name in factors)]
    order.append((shape, "Intercept"))
    middle = fitted.params_.loc[order].to_numpy()
    spread = fitted.variance_matrix_.loc[order, order].to_numpy()
    if not np.isfinite(middle).all() or not np.isfinite(spread).all():
        return None
    chance = np.random.default_rng(seed)
    return Lifetimes(
        law=law,
        factors=tuple(str(name) for name in factors),
        fill=tuple(float(factors[name].median()) for name in factors),
        parameters=tuple(float(value) for value in middle),
        draws=chance.multivariate_normal(middle, spread, draws, check_valid="ignore"),
        concordance=float(fitted.concordance_index_),
        aic=float(fitted.AIC_),
    )
