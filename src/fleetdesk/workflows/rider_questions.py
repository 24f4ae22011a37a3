"""The guide's five questions about riders, answered from what is known of each; loads pandas."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
from scipy import stats

from fleetdesk.features.riders import WINDOWS_D
from fleetdesk.features.stays import cancellations
from fleetdesk.outputs.tables.next_best import Told
from fleetdesk.outputs.tables.riders import words
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.known import Known
from fleetdesk.workflows.prospects import Prospects
from fleetdesk.workflows.rider_data import FEATURES, frame, riders_of

_MONTH_D = 30


def answers_to(record: Known, found: Prospects, settings: Settings) -> tuple[Told, ...]:
    """Churn by package, riders in the wrong one, mean value, segments, what goes with value."""
    return (
        *_churn(record, settings),
        *_wrong(found, settings),
        *_value(found, settings),
        *_segments(found, settings),
        *_factors(record, found, settings),
    )


def _churn(record: Known, settings: Settings) -> list[Told]:
    as_of = record.moment.as_of
    rows = frame(cancellations(record.tables, as_of - timedelta(days=_MONTH_D), as_of))
    question = "What is the churn rate by package?"
    told = []
    for package, n, left in sorted(zip(rows["package"], rows["held"], rows["gone"], strict=True)):
        if n < settings.riders.smallest_group:
            continue
        low, high = _wilson(int(left), int(n))
        told.append(
            Told(question, str(package), 100.0 * left / n, low, high, "% a month",
                 f"of the {n} who held it, cancelled within {_MONTH_D} days")
        )  # fmt: skip
    return told or [Told(question, "", None, None, None, "", "Nobody held a package a month ago.")]


def _wrong(found: Prospects, settings: Settings) -> list[Told]:
    question = "What share of riders is in the wrong package?"
    advice, least = found.advice, settings.riders.smallest_group
    share = advice.wrong_share() if advice and advice.holders >= least else None
    if share is None or advice is None:
        return [Told(question, "", None, None, None, "", "Too few hold a package on offer.")]
    return [
        Told(question, "holders of a package", *share, "%",
             f"of {advice.holders}: another would cost them less, or leave the least margin")
    ]  # fmt: skip


def _value(found: Prospects, settings: Settings) -> list[Told]:
    question, value = "What is the mean lifetime value?", found.riders["value_alike"].dropna()
    if len(value) < settings.riders.smallest_group:
        return [Told(question, "", None, None, None, "", "Too few riders have a known value.")]
    reach = 1.96 * float(value.std()) / len(value) ** 0.5
    mean = float(value.mean())
    told = (
        f"over the {found.months_alike:.4g} months that all can be valued for: {len(value)} who "
        f"rode lately or hold a package, half below {value.median():,.2f}"
    )
    return [
        Told(question, "riders of today", mean, mean - reach, mean + reach,
             settings.city.currency, told)
    ]  # fmt: skip


def _segments(found: Prospects, settings: Settings) -> list[Told]:
    question = "Which segments are most profitable?"
    rows = found.riders.dropna(subset=["segment", "value_alike"])
    told = []
    for name, part in rows.groupby("segment"):
        if len(part) < settings.riders.smallest_group:
            continue
        mean = float(part["value_alike"].mean())
        reach = 1.96 * float(part["value_alike"].std()) / len(part) ** 0.5
        told.append(
            Told(question, str(name), mean, mean - reach, mean + reach, settings.city.currency,
                 f"mean value of {len(part)} riders over {found.months_alike:.4g} months")
        )  # fmt: skip
    told.sort(key=lambda one: -(one.value or 0.0))
    return told or [Told(question, "", None, None, None, "", "No segments with known values.")]


def _factors(record: Known, found: Prospects, settings: Settings) -> list[Told]:
    """Habits by rank correlation with value, those that chance explains left out (Holm)."""
    question = "What goes with a high value?"
    now = riders_of(record, settings).now
    value = found.riders["value_alike"].to_numpy(float)
    names, rows = [], []
    for name in FEATURES:
        if name == "km" and settings.usage.horizon_days == WINDOWS_D[0]:
            continue  # the same as km_30d
        column = pd.to_numeric(now[name]).to_numpy(float)
        both = ~(np.isnan(column) | np.isnan(value))
        if both.sum() < 30 or np.std(column[both]) == 0 or np.std(value[both]) == 0:
            continue
        test = stats.spearmanr(column[both], value[both])
        names.append(name)
        rows.append((float(test.statistic), float(test.pvalue), int(both.sum())))
    order = sorted(range(len(rows)), key=lambda place: rows[place][1])
    told: list[Told] = []
    for step, place in enumerate(order):
        rank, p, n = rows[place]
        if p * (len(rows) - step) > 0.05:
            break
        reach = 1.96 / (n - 3) ** 0.5
        low, high = np.tanh(np.arctanh(rank) - reach), np.tanh(np.arctanh(rank) + reach)
        told.append(
            Told(question, words(names[place]), rank, float(low), float(high), "rank corr.",
                 "goes up with value" if rank > 0 else "goes down with value")
        )  # fmt: skip
    told.sort(key=lambda one: -abs(one.value or 0.0))
    return list(told[:8]) or _nothing(question)


def _nothing(question: str) -> list[Told]:
    return [Told(question, "", None, None, None, "", "Nothing that chance does not explain.")]


def _wilson(part: int, whole: int) -> tuple[float, float]:
    found = stats.binomtest(part, whole).proportion_ci(method="wilson")
    return 100.0 * float(found.low), 100.0 * float(found.high)
