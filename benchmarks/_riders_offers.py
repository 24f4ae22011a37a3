"""Offers: a simulated test of offers, Hillstrom's e-mails for uplift, LaLonde's for matching."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fleetdesk.riders.matching import compare
from fleetdesk.riders.offers import believe, choose
from fleetdesk.riders.uplift import cross_fitted, read_out

SEGMENTS, ARMS, OFFERS, BATCH = 4, 4, 20_000, 100


def figures(data: Path, seed: int) -> Iterator[dict[str, Any]]:
    """JSON lines; `data` is the folder that holds `customers`."""
    yield _bandit(seed)
    if (path := data / "customers/hillstrom_email_64000.csv.gz").is_file():
        yield _uplift(path, seed)
    if (folder := data / "customers/causal").is_dir():
        yield from _matching(folder, seed)


def _bandit(seed: int) -> dict[str, Any]:
    """Margin per offer against one who knows every offer's margin in every segment.

    What is accepted most gives most away, so that choosing by acceptance goes wrong.
    """
    shares, by_acceptance = [], []
    for world in range(5):
        rng = np.random.default_rng([seed, world])
        accepted = rng.uniform(0.05, 0.6, (SEGMENTS, ARMS))
        # The dearer an offer is to the operator, the more riders take it.
        margin = 14 - 20 * accepted + rng.normal(0, 1.5, accepted.shape)
        true = accepted * margin
        names = [f"offer {n}" for n in range(ARMS)]
        frames: dict[int, pd.DataFrame] = {
            s: pd.DataFrame({"arm": [], "value": [], "age_days": []}) for s in range(SEGMENTS)
        }
        earned = best = greedy = 0.0
        taken, made = np.ones((SEGMENTS, ARMS)), np.full((SEGMENTS, ARMS), 2.0)
        for step in range(OFFERS // BATCH):
            segment = step % SEGMENTS
            log = frames[segment]
            belief = believe(log, str(segment), names, half_life_days=1e6, prior=1.0)
            arms = choose(belief, int(rng.integers(2**31)), BATCH, 2.0)
            yes = rng.random(BATCH) < accepted[segment, arms]
            value = np.where(yes, rng.normal(margin[segment, arms], 3.0), 0.0)
            earned += float(true[segment, arms].sum())
            best += BATCH * float(true[segment].max())
            frames[segment] = pd.concat(
                [log, pd.DataFrame({"arm": np.array(names)[arms], "value": value, "age_days": 0.0})]
            )
            old = np.argmax(
                rng.beta(taken[segment], made[segment] - taken[segment] + 1, (BATCH, ARMS)), axis=1
            )
            greedy += float(true[segment, old].sum())
            hits = rng.random(BATCH) < accepted[segment, old]
            np.add.at(taken[segment], old, hits)
            np.add.at(made[segment], old, 1)
        shares.append(100 * earned / best)
        by_acceptance.append(100 * greedy / best)
    value = float(np.mean(shares))
    return {
        "bar": "offers_margin_pct_of_oracle", "value": round(value, 2), "limit": 95,
        "better": "higher", "met": value >= 95, "worst_world": round(min(shares), 2),
        "by_acceptance_pct": round(float(np.mean(by_acceptance)), 1), "offers": OFFERS,
    }  # fmt: skip


def _uplift(path: Path, seed: int) -> dict[str, Any]:
    rows = pd.read_csv(path)
    rows = rows[rows["segment"] != "Mens E-Mail"].reset_index(drop=True)
    habits = ["recency", "history", "mens", "womens", "newbie", "zip_code", "channel"]
    x = pd.get_dummies(rows[habits]).astype(float)
    treated = (rows["segment"] == "Womens E-Mail").to_numpy()
    visit = rows["visit"].to_numpy(float)
    found = cross_fitted(x, treated, visit, seed, np.full(len(x), 0.5))
    seen = read_out(treated, visit)
    value = found.qini["mean"]
    return {
        "bar": "hillstrom_womens_qini_of_perfect", "value": round(value, 4), "limit": 0.055,
        "better": "higher", "met": value >= 0.055, "difference": round(seen.difference, 4),
        "interval": [round(seen.low, 4), round(seen.high, 4)], "rows": len(x),
        **{f"qini_{name}": round(one, 4) for name, one in found.qini.items() if name != "mean"},
    }  # fmt: skip


def _matching(folder: Path, seed: int) -> Iterator[dict[str, Any]]:
    trial, others = (pd.read_csv(folder / name) for name in
                     ("nsw_experimental.csv", "cps_controls.csv"))  # fmt: skip
    rows = pd.concat([trial[trial["treat"] == 1], others], ignore_index=True)
    habits = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]
    found = compare(
        rows[habits], (rows["treat"] == 1).to_numpy(), rows["re78"].to_numpy(float), seed=seed
    )
    effect = found.effects[-1]
    yield {
        "bar": "lalonde_worst_smd", "value": round(found.worst, 6), "limit": 0.1, "better": "lower",
        "met": found.worst < 0.1, "before": round(float(found.balance["before"].abs().max()), 2),
        "nearest_neighbour": round(float(found.balance["matched"].abs().max()), 3),
        "trimmed_controls": found.trimmed_control,
    }  # fmt: skip
    true = float(
        trial[trial["treat"] == 1]["re78"].mean() - trial[trial["treat"] == 0]["re78"].mean()
    )
    yield {
        "bar": "lalonde_interval_holds_trial", "value": round(effect.value, 1),
        "limit": [round(effect.low, 1), round(effect.high, 1)], "better": "within",
        "met": effect.low <= true <= effect.high, "trial": round(true, 2),
        **{e.method: [round(e.value, 1), round(e.low, 1), round(e.high, 1)] for e in found.effects},
    }  # fmt: skip
