"""How long riders stay: survival curves by group, what makes them leave, and when most leave."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.exceptions import ConvergenceError
from lifelines.statistics import proportional_hazard_test
from lifelines.utils import concordance_index
from numpy.typing import NDArray
from scipy.stats import chi2

from fleetdesk.errors import NotEnoughData
from fleetdesk.riders.matrix import Floats, numbers
from fleetdesk.riders.staying import Curve, Times, curve_of, months_seen
from fleetdesk.settings.rider_sheets import Retention

FEWEST_STAYS = 10
_EVENTS_PER_FACTOR = 5
_FOLDS = 5


@dataclass(frozen=True)
class Columns:
    """Which columns of a table of stays say what; `entry` may be missing."""

    duration: str = "months"
    ended: str = "cancelled"
    entry: str | None = "entry_months"
    numbers: tuple[str, ...] = ("referrals",)
    words: tuple[str, ...] = ("package", "channel")


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of the Cox model with its 95 % interval.

    `coefficient` is the logarithm of the hazard ratio; a small `ph_p` says that the effect changes
    with time, so that the ratio is only its mean; it is missing where it cannot be tested.
    """

    name: str
    coefficient: float
    low: float
    high: float
    p: float
    ph_p: float | None


@dataclass(frozen=True)
class CoxFit:
    """What raises and lowers the hazard; `held_out` is the concordance on stays not learnt from."""

    factors: tuple[Factor, ...]
    concordance: float
    held_out: float | None
    log_likelihood: float
    note: str = ""


@dataclass(frozen=True)
class RetentionResult:
    """Curves of all stays and of each group, the log-rank test between groups, and the Cox fit.

    Without groups to compare, `log_rank_p` is missing; without enough endings, so is `cox`.
    """

    overall: Curve
    groups: tuple[Curve, ...]
    log_rank_p: float | None
    cox: CoxFit | None
    note: str


def retention(
    stays: pd.DataFrame,
    settings: Retention,
    seed: int,
    group: str | None = "package",
    columns: Columns | None = None,
    fewest: int = FEWEST_STAYS,
) -> RetentionResult:
    """Curves by group, log-rank test and Cox model of stays; see `Columns` for what is read.

    Groups of less than `fewest` stays have no curve, and curves end where less are still seen.
    NotEnoughData where so many are not seen for one month.
    """
    columns = columns or Columns()
    longest = float(min(settings.horizon_months, np.ceil(stays[columns.duration].max())))
    duration, _, entry = _times(stays, columns)
    horizon = float(months_seen(duration, entry, longest, fewest)[-1])
    if not horizon:
        raise NotEnoughData(
            "Too few stays in a package can be followed for a month",
            found=f"{len(stays)} stays, of which fewer than {fewest} are seen so long",
            fix=f"At least {fewest} are needed; import older subscriptions",
        )
    smoothing = settings.smoothing_months
    overall = curve_of("All", _times(stays, columns), horizon, smoothing, fewest)
    parts: Mapping[str, pd.DataFrame] = {}
    if group is not None:
        named = stays[group].astype(object).where(stays[group].notna(), "none").astype(str)
        parts = {name: part for name, part in stays.groupby(named) if len(part) >= fewest}
    curves = tuple(
        curve_of(name, _times(part, columns), horizon, smoothing, fewest)
        for name, part in parts.items()
    )
    compared = pd.concat(list(parts.values())) if len(parts) > 1 else None
    rank = None
    if compared is not None and overall.ended:
        labels = np.concatenate([np.full(len(part), i) for i, part in enumerate(parts.values())])
        rank = log_rank(*_times(compared, columns), labels)
    factors = design(stays, columns)
    cox = fit_cox(stays, factors, columns, settings, seed)
    note = "" if overall.ended else "Nobody has left yet, so nothing tells who will."
    if not note and cox is None:
        note = f"{overall.ended} stays ended: too few to say what makes riders leave."
    return RetentionResult(overall, curves, rank, cox, note)


def log_rank(
    duration: Floats, ended: NDArray[np.bool_], entry: Floats, groups: NDArray[np.int64]
) -> float:
    """The p value of the log-rank test over all groups, with delayed entry.

    At each ending, who has entered and not yet left is at risk (Klein and Moeschberger 2003, 7.3).
    """
    count = int(groups.max()) + 1
    off, spread = np.zeros(count), np.zeros((count, count))
    for time in np.unique(duration[ended]):
        risk = (entry < time) & (duration >= time)
        at_risk = np.bincount(groups[risk], minlength=count).astype(float)
        gone = np.bincount(groups[risk & ended & (duration == time)], minlength=count)
        everyone, left = at_risk.sum(), gone.sum()
        share = at_risk / everyone
        off += gone - left * share
        if everyone > 1:
            factor = left * (everyone - left) / (everyone - 1)
            spread += factor * (np.diag(share) - np.outer(share, share))
    statistic = off[:-1] @ np.linalg.pinv(spread[:-1, :-1]) @ off[:-1]
    return float(chi2.sf(statistic, count - 1))


def design(stays: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """The factors as columns of numbers: amounts as they are, words against the commonest one.

    What is the same for all is left out; what is missing stands at the middle.
    """
    found: dict[str, Floats] = {}
    for name in columns.numbers:
        values = numbers(stays[name])
        if not np.isnan(values).all():
            found[name] = np.where(np.isnan(values), np.nanmedian(values), values)
    for name in columns.words:
        words = stays[name].astype(object).where(stays[name].notna(), "none").astype(str)
        common = words.value_counts()
        for word in sorted(common.index[1:]):
            if common[word] >= FEWEST_STAYS:
                found[f"{name}: {word}"] = (words == word).to_numpy().astype(float)
    told = {name: values for name, values in found.items() if np.ptp(values) > 0}
    return pd.DataFrame(told, index=stays.index)


def fit_cox(
    stays: pd.DataFrame,
    factors: pd.DataFrame,
    columns: Columns,
    settings: Retention,
    seed: int,
) -> CoxFit | None:
    """The Cox model of the factors, with the proportional-hazards test of each; None without data.

    `held_out` comes from folds of stays that the model had not seen.
    """
    ended = int(stays[columns.ended].sum())
    if factors.empty or ended < _EVENTS_PER_FACTOR * factors.shape[1]:
        return None
    frame = framed(stays, factors, columns)
    fitted, note = _cox(frame, columns)
    if fitted is None:
        return None
    ph = _proportional(frame, fitted, columns)
    table = fitted.summary
    told = tuple(
        Factor(
            str(name), float(row["coef"]), float(row["coef lower 95%"]),
            float(row["coef upper 95%"]), float(row["p"]), ph.get(str(name)),
        )
        for name, row in table.iterrows()
    )  # fmt: skip
    alpha = settings.ph_alpha_pct / 100.0
    doubt = [factor.name for factor in told if factor.ph_p is not None and factor.ph_p < alpha]
    if doubt:
        note = f"The effect of {', '.join(doubt)} changes with time: read it as a mean. {note}"
    return CoxFit(
        factors=told,
        concordance=float(fitted.concordance_index_),
        held_out=_held_out(frame, columns, seed),
        log_likelihood=float(fitted.log_likelihood_),
        note=note.strip(),
    )


def framed(stays: pd.DataFrame, factors: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Factors, durations and endings as the models take them; the entry only where it matters."""
    duration, ended, entry = _times(stays, columns)
    frame = factors.reset_index(drop=True).assign(
        **{columns.duration: duration, columns.ended: ended.astype(int)}
    )
    if columns.entry is not None and columns.entry in stays and entry.any():
        frame[columns.entry] = entry
    return frame


# --- parts ----------------------------------------------------------------------------------------


def _cox(frame: pd.DataFrame, columns: Columns) -> tuple[CoxPHFitter | None, str]:
    entry = columns.entry if columns.entry in frame else None
    for penalizer, note in ((0.0, ""), (0.1, "Factors overlap, so their effects are held small.")):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fitted = CoxPHFitter(penalizer=penalizer).fit(
                    frame, columns.duration, columns.ended, entry_col=entry
                )
            if np.isfinite(fitted.summary["se(coef)"]).all():
                return fitted, note
        except ConvergenceError:
            continue
    return None, ""


def _proportional(frame: pd.DataFrame, fitted: CoxPHFitter, columns: Columns) -> dict[str, float]:
    """The p value of each factor's test, on the stays that were seen from their start."""
    if columns.entry in frame:
        frame = frame[frame[columns.entry] == 0.0].drop(columns=columns.entry)
        again, _ = _cox(frame, columns) if frame[columns.ended].sum() > 0 else (None, "")
        if again is None:
            return {}
        fitted = again
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tested = proportional_hazard_test(fitted, frame, time_transform="rank").summary
    return {str(name): float(p) for name, p in zip(tested.index, tested["p"], strict=True)}


def _held_out(frame: pd.DataFrame, columns: Columns, seed: int) -> float | None:
    """Concordance over folds; each pair of stays is compared within its fold."""
    order = np.random.default_rng(seed).permutation(len(frame))
    found = []
    for fold in np.array_split(order, _FOLDS):
        test, learn = frame.iloc[fold], frame.drop(frame.index[fold])
        if test[columns.ended].sum() < 2 or learn[columns.ended].sum() < 2:
            continue
        fitted, _ = _cox(learn, columns)
        if fitted is not None:
            score = -np.asarray(fitted.predict_log_partial_hazard(test))
            found.append(concordance_index(test[columns.duration], score, test[columns.ended]))
    return float(np.mean(found)) if found else None


def _times(stays: pd.DataFrame, columns: Columns) -> Times:
    duration = numbers(stays[columns.duration])
    has_entry = columns.entry is not None and columns.entry in stays
    entry = numbers(stays[str(columns.entry)]) if has_entry else np.zeros(len(stays))
    return duration, stays[columns.ended].to_numpy().astype(bool), entry
