"""Prices, baskets and batteries on public data, and how fast one rider is scored."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fleetdesk.apps.serving_api import make_app
from fleetdesk.fleet.battery_health import degradation_features, fit_lives, predict_lives
from fleetdesk.riders.baskets import find_rules
from fleetdesk.riders.churn import train
from fleetdesk.riders.elasticity import double_ml, fixed_effects
from fleetdesk.riders.quick_chances import ready
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.serve import KNOWN, Scorer

_DISCHARGE = ("var_dQ_100_10", "min_dQ_100_10", "mean_dQ_100_10")
_TOKEN = "benchmark-token-of-no-use-to-anyone"


def figures(data: Path, seed: int) -> Iterator[dict[str, Any]]:
    """JSON lines; `data` is the folder that holds `customers` and `battery`."""
    if (path := data / "customers/price/orange_juice.csv").is_file():
        yield _price(path, seed)
    if (path := data / "customers/groceries/groceries_long.csv").is_file():
        yield _baskets(path)
    if (folder := data / "battery/severson").is_dir():
        yield from _batteries(folder, seed)
    yield from _serving(seed)


def _price(path: Path, seed: int) -> dict[str, Any]:
    sales = pd.read_csv(path).rename(columns={"sales": "quantity"})
    found = fixed_effects(sales, effects=["brand"])
    other = double_ml(sales, covariates=["brand", "feat"], seed=seed)
    return {
        "bar": "orange_juice_elasticity", "value": round(found.value, 4), "limit": [-3.19, -3.09],
        "better": "within", "met": abs(found.value + 3.14) <= 0.05,
        "interval": [round(found.low, 3), round(found.high, 3)],
        "double_ml": round(other.value, 3),
        "double_ml_interval": [round(other.low, 3), round(other.high, 3)],
    }  # fmt: skip


def _baskets(path: Path) -> dict[str, Any]:
    pairs = pd.read_csv(path)
    pairs.columns = ["basket", "item"]
    found = find_rules(pairs, min_support=0.01, min_confidence=0.25, most_q=0.05)
    return {
        "bar": "groceries_item_sets", "value": len(found.sets), "limit": 333, "better": "equal",
        "met": len(found.sets) == 333, "rules": len(found.rules), "baskets": found.baskets,
    }  # fmt: skip


def _batteries(folder: Path, seed: int) -> Iterator[dict[str, Any]]:
    """Learnt on the training cells alone; the short-lived cell of test 1 counts like all others."""
    cells = pd.read_csv(folder / "severson_124cells_capacity_first100cycles.csv")
    features = degradation_features(
        cells.filter(like="qd_cycle_").to_numpy(float),
        {name: cells[name].to_numpy(float) for name in _DISCHARGE},
    )
    life = cells["cycle_life"].to_numpy(float)
    train_cells = (cells["split"] == "train").to_numpy()
    model = fit_lives(
        features[train_cells], life[train_cells], np.ones(int(train_cells.sum()), bool), seed
    )
    found = predict_lives(model, features, 90)
    error = 100 * np.abs(found.life - life) / life
    inside = (found.low <= life) & (life <= found.high)
    for split in ("test1", "test2"):
        mine = (cells["split"] == split).to_numpy()
        value = float(error[mine].mean())
        long = mine & (life > 200)
        yield {
            "bar": f"severson_{split}_mape_pct", "value": round(value, 2), "limit": 10,
            "better": "lower", "met": value <= 10,
            "median_pct": round(float(np.median(error[mine])), 2),
            "without_cells_below_200_cycles": round(float(error[long].mean()), 2),
            "interval_90_covers_pct": round(100 * float(inside[mine].mean()), 1),
            "cells": int(mine.sum()),
        }  # fmt: skip


def _serving(seed: int, rounds: int = 60) -> Iterator[dict[str, Any]]:
    """Median and 95th percentile of one rider's request, through the whole interface."""
    from fastapi.testclient import TestClient

    rng = np.random.default_rng(seed)
    rows = 4000
    names = ("km_30d", "trips_30d", "days_since_last_trip", "tenure_months", "spend_30d")
    frame = pd.DataFrame({name: rng.gamma(2, 10, rows) for name in names}).assign(
        package=rng.choice(["Light", "Power"], rows), channel="street"
    )
    left = rng.random(rows) < 1 / (1 + np.exp(4 - 0.1 * frame["days_since_last_trip"].to_numpy()))
    for kind in ("gradient boosting", "random forest"):
        model = train(frame, left, kind, seed, columns=(names, ("package", "channel")))
        scorer = Scorer(ready(model), None, Settings(), "now")
        app = make_app(scorer, KNOWN, _TOKEN, 10**6, time.monotonic)
        rider = {"rider_id": "r", **dict.fromkeys(names, 12.0), "package": "Light"}
        took, spent = [], time.process_time()
        with TestClient(app) as client:
            for _ in range(rounds):
                began = time.perf_counter()
                answer = client.post(
                    "/v1/score", json={"riders": [rider]},
                    headers={"Authorization": f"Bearer {_TOKEN}"},
                )  # fmt: skip
                took.append(1000 * (time.perf_counter() - began))
                answer.raise_for_status()
        cpu = 1000 * (time.process_time() - spent) / rounds
        middle = float(np.median(took))
        yield {
            "bar": f"serve_one_rider_ms ({kind})", "value": round(middle, 1), "limit": 50,
            "better": "lower", "met": middle < 50,
            "p95_ms": round(float(np.quantile(took, 0.95)), 1),
            "fastest_ms": round(min(took), 1), "cpu_ms": round(cpu, 1),
        }  # fmt: skip
