"""Usage and packages on simulated riders whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fleetdesk.riders.package_costs import Usage, rider_costs, usage_scenarios
from fleetdesk.riders.package_rules import Buffers
from fleetdesk.riders.packages import PackageRules, People, advise, on_offer
from fleetdesk.riders.usage import NAIVE, forecast_usage
from fleetdesk.settings.schema import Costs
from fleetdesk.settings.starter import starter_settings

FEATURES = ("km_1", "km_2", "km_3", "growth_pct", "trips_1", "season", "km")


def figures(data: Path, seed: int) -> Iterator[dict[str, Any]]:
    """JSON lines; needs no data from outside."""
    del data
    yield from _usage(seed)
    yield from _regret(seed)


def _usage(seed: int, riders: int = 2500, months: int = 14) -> Iterator[dict[str, Any]]:
    """Riders whose need drifts and whose months have a season; the last month is the future."""
    rng = np.random.default_rng(seed)
    need, activity = np.exp(rng.normal(4, 0.8, riders)), np.ones(riders)
    km, trips = np.zeros((months, riders)), np.zeros((months, riders))
    for month in range(months):
        activity = np.clip(activity * np.exp(rng.normal(-0.01, 0.15, riders)), 0.05, 3)
        rate = need * activity * (1 + 0.3 * np.sin(2 * np.pi * month / 12)) / 4
        trips[month] = rng.poisson(rate)
        km[month] = rng.gamma(2 * np.maximum(trips[month], 1e-9), 2) * (trips[month] > 0)
    parts = []
    for at in range(2, months - 1):
        parts.append(
            pd.DataFrame(
                {
                    "rider_id": np.arange(riders), "at": at, "km": km[at], "km_1": km[at],
                    "km_2": km[at - 1], "km_3": km[at - 2], "trips_1": trips[at],
                    "growth_pct": 100 * (km[at] / np.maximum(km[at - 1], 1) - 1),
                    "season": np.sin(2 * np.pi * (at + 1) / 12),
                    "km_next": km[at + 1] if at < months - 2 else np.nan,
                }
            )
        )  # fmt: skip
    found = forecast_usage(
        pd.concat(parts, ignore_index=True), FEATURES, interval_pct=90, seed=seed
    )
    future = km[-1]
    inside = (found.riders["low"] <= future) & (future <= found.riders["high"])
    rmse = float(np.sqrt(((found.riders["km"] - future) ** 2).mean()))
    last = float(np.sqrt(((km[-2] - future) ** 2).mean()))
    covered = 100 * float(inside.mean())
    chosen = next(score for score in found.scores if score.chosen)
    yield {
        "bar": "usage_interval_90_covers_pct", "value": round(covered, 2), "limit": [88, 92],
        "better": "within", "met": 88 <= covered <= 92, "riders": riders, "model": found.model,
        "backtest_coverage_pct": round(chosen.coverage_pct or 0, 2),
    }  # fmt: skip
    yield {
        "bar": "usage_rmse_km", "value": round(rmse, 2), "limit": round(last, 2), "better": "lower",
        "met": rmse <= last, "yardstick": NAIVE, "r2": round(chosen.r2 or 0, 3),
        "mape_pct": round(chosen.mape_pct or 0, 1),
    }  # fmt: skip


def _regret(seed: int, riders: int = 3000) -> Iterator[dict[str, Any]]:
    """What advice costs riders a month beyond the package that is truly the cheapest for each."""
    rng = np.random.default_rng(seed)
    packages = on_offer(starter_settings().packages)
    mean = np.exp(rng.normal(6.6, 0.8, riders))
    spread = np.exp(rng.normal(-1, 0.4, riders))
    swaps = 0.02 * np.exp(rng.normal(0, 0.1, riders))

    def months(count: int) -> np.ndarray:
        z = rng.standard_normal((riders, count))
        return mean[:, None] * np.exp(spread[:, None] * z - spread[:, None] ** 2 / 2)

    past = months(6)
    middle, off = past.mean(axis=1), past.std(axis=1, ddof=1)
    usage = usage_scenarios(
        middle, np.maximum(middle - 1.645 * off, 0), middle + 1.645 * off, swaps, 90
    )
    limits = np.array([package.included_km for package in packages[:-1]])
    held = np.searchsorted(limits, middle * 3 ** (rng.random(riders) - 0.5)).astype(np.int64)
    people = People(
        tuple(map(str, range(riders))), usage, held, np.full(riders, 12.0), np.full(riders, 24.0),
        np.column_stack([past, off, swaps]),
    )  # fmt: skip
    rules = PackageRules(
        Buffers(20, 30, 25, 3, 6), margin_floor_pct=-1000, discount_cap_pct=20, least_saving=0,
        neighbours=10, factors=8, cost_per_km=0.02, peak_season=False,
    )  # fmt: skip
    rows = advise(people, packages, Costs(), rules, seed).rows
    future = months(400)
    truth = rider_costs(Usage(future, future * swaps[:, None]), packages)
    place = {package.name: number for number, package in enumerate(packages)}
    regret = {}
    for name in ("rule", "newsvendor", "neighbours", "factors", "package", "advised"):
        chosen = np.array([place[choice] for choice in rows[name]])
        regret[name] = float((truth[np.arange(riders), chosen] - truth.min(axis=1)).mean())
    yield {
        "bar": "package_regret_per_month", "value": round(regret["advised"], 2),
        "limit": round(regret["rule"], 2), "better": "lower",
        "met": regret["advised"] < regret["rule"], "limit_is": "the rule engine's regret",
        **{f"regret_{name}": round(value, 2) for name, value in regret.items()},
    }  # fmt: skip
