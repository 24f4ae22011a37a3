"""The estimators under test for benchmarks/roi.py: records in, estimated returns out.

Runs as a process of its own that is told the folder of records and nothing else: no truth and no
simulator is within its reach.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from _roi_variants import ESTIMATORS, Variant
from fleetdesk.fleet.downstream_revenue import estimate
from fleetdesk.fleet.estimator import DownstreamRevenue, Level
from fleetdesk.fleet.history import History
from fleetdesk.fleet.thresholds import Returns, best_threshold
from fleetdesk.settings.schema import City, Costs, Settings, Thresholds


@dataclass(frozen=True)
class Question:
    """What is asked of the estimators about one city."""

    timezone: str
    currency: str
    as_of: datetime
    window_days: int
    horizon_h: float
    cost: float
    usable_battery_pct: float

    @classmethod
    def read(cls, records: Path) -> Question:
        """From `question.json` in the folder of records."""
        asked = json.loads((records / "question.json").read_text(encoding="utf-8"))
        return cls(**asked | {"as_of": datetime.fromisoformat(asked["as_of"])})

    def settings(self, variant: Variant, rounds: int) -> Settings:
        """Gross revenue, because the truth is gross too."""
        return Settings(
            city=City(
                timezone=self.timezone, currency=self.currency, window_days=self.window_days
            ),
            costs=Costs(use_net_revenue=False),
            thresholds=Thresholds(
                horizon_h=self.horizon_h, usable_battery_pct=self.usable_battery_pct,
                estimator=variant.estimator, fine_cells=variant.fine_cells,
                bootstrap_rounds=rounds,
            ),
        )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--estimators", nargs="+", default=list(ESTIMATORS))
    parser.add_argument("--rounds", type=int, default=0, help="bootstrap draws for intervals")
    chosen = parser.parse_args()
    asked = Question.read(chosen.records)
    engine = ibis.duckdb.connect()
    history = History(
        engine.read_parquet(chosen.records / "events.parquet"),
        engine.read_parquet(chosen.records / "trips.parquet"),
        asked.as_of,
        _rider_swaps(chosen.records, engine),
    )
    tasks = pq.read_table(chosen.records / "tasks.parquet").to_pydict()
    earlier = _earlier_tasks(history, engine, tasks)
    parts, thresholds = [], {}
    for name in chosen.estimators:
        began, variant = time.perf_counter(), ESTIMATORS[name]
        learnt = estimate(history, asked.settings(variant, chosen.rounds))
        found = _returns(learnt, variant, tasks, asked, chosen.rounds)
        seconds = time.perf_counter() - began
        thresholds[name] = _threshold(_returns(learnt, variant, earlier, asked, 0), earlier, asked)
        size = len(tasks["task_id"])
        about = {"estimator": [name] * size, "ran": [learnt.estimator] * size,
                 "seconds": [seconds] * size, "task_id": tasks["task_id"]}  # fmt: skip
        parts.append(pa.table(about | found))
    pq.write_table(pa.concat_tables(parts), chosen.out)
    chosen.out.with_suffix(".json").write_text(json.dumps(thresholds), encoding="utf-8")


def _rider_swaps(records: Path, engine: Any) -> Any | None:
    """Swaps by riders, where the records tell of any."""
    found = records / "rider_swaps.parquet"
    return engine.read_parquet(found) if found.exists() else None


def _returns(
    learnt: DownstreamRevenue, variant: Variant, tasks: dict[str, Any], asked: Question, rounds: int
) -> dict[str, np.ndarray]:
    """Revenue with and without each task, of the scooter and of the fleet, and the 90 % interval of
    the scooter's gain; what is not operational earns nothing without the task."""
    alive = np.array(tasks["operational"], dtype=float)
    starts, hours = _spans(tasks, asked, alive.size)
    columns = {}
    for side, weight in (("after", 1.0), ("before", alive)):
        battery = np.array(tasks[f"battery_{side}_pct"], dtype=float)
        if not variant.capped:  # a charge that nobody knows bounds nothing
            battery[:] = np.nan
        state = (tasks[f"cell_{side}"], battery, starts, hours)
        for level in Level:
            columns[f"{level}_{side}"] = weight * learnt.values(*state, level)
        if rounds:
            columns[f"draws_{side}"] = weight * learnt.draws(*state)
    if rounds:
        gain = columns.pop("draws_after") - columns.pop("draws_before")
        none = np.full((2, alive.size), np.nan)  # v0 gives no margins
        held = None if not gain.size else np.quantile(gain, (0.05, 0.95), axis=0, method="weibull")
        low, high = none if held is None else held
        columns["gain_low"], columns["gain_high"] = low, high
    return columns


def _spans(tasks: dict[str, Any], asked: Question, size: int) -> tuple[list[datetime], np.ndarray]:
    """When each task's horizon begins and how long it is, if not as everybody's."""
    starts = tasks.get("start_at", [asked.as_of] * size)
    starts = [start if start.tzinfo else start.replace(tzinfo=UTC) for start in starts]
    return starts, np.array(tasks.get("hours", [asked.horizon_h] * size), dtype=float)


def _earlier_tasks(history: History, engine: Any, tasks: dict[str, Any]) -> dict[str, Any]:
    """What could have been done at this hour on each of the seven days before, by the records.

    For every vehicle that stood rentable or empty then: a swap on the spot, and a charge with a
    ride to a place that one of today's tasks would carry a vehicle to.
    """
    cells = zip(tasks["cell_before"], tasks["cell_after"], strict=True)
    goals = sorted(after for before, after in cells if after != before)
    draw, rows = np.random.default_rng(0), []
    for days in range(1, 8):
        moment = history.as_of - timedelta(days=days)
        naive = moment.replace(tzinfo=None)
        past = history.events.filter(history.events.event_at <= naive)
        last = engine.execute(
            past.group_by("vehicle_id").agg(
                *(past[c].argmax(past.event_at).name(c)
                  for c in ("vehicle_state", "event_types", "cell", "battery_pct")),
            ).order_by("vehicle_id")
        )  # fmt: skip
        free = last.vehicle_state == "available"
        empty = last.event_types.str.contains("battery_low") & (
            last.vehicle_state == "non_operational"
        )
        for state in last[free | empty].itertuples():
            drop = goals[draw.integers(len(goals))] if goals else state.cell
            for goal in (state.cell, drop):
                rows.append((state.vehicle_state == "available", state.cell, state.battery_pct,
                             goal, 100.0, moment))  # fmt: skip
    if not rows:
        raise SystemExit("No vehicle stood free or empty in the week before: nothing to learn from")
    names = ("operational", "cell_before", "battery_before_pct", "cell_after", "battery_after_pct",
             "start_at")  # fmt: skip
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def _threshold(found: dict[str, np.ndarray], tasks: dict[str, Any], asked: Question) -> float:
    """Below which battery percent the earlier tasks would have paid best, as a run learns it."""
    roi = found["scooter_after"] - found["scooter_before"] - asked.cost
    size = roi.size
    return best_threshold(
        Returns(
            battery_pct=np.array(tasks["battery_before_pct"], dtype=float),
            revenue=found["scooter_after"],
            cost=np.full(size, asked.cost),
            roi=roi,
            expected=roi,
            week=np.zeros(size, dtype=np.int64),
            cell=np.array(tasks["cell_before"], dtype=np.str_),
            hour=np.zeros(size, dtype=np.int64),
        )
    )


if __name__ == "__main__":
    main()
