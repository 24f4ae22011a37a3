"""How well task returns are estimated, in cities where the truth is known.

Prints one JSON line per scenario, seed and estimator, then one per figure: its mean over the seeds.
Guide: docs/roi-benchmark.md. `--input DIR` scores a history made elsewhere.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from _roi_given import canonical
from _roi_history import held_out, with_truth
from _roi_score import Figure, best_threshold, bias, capture, coverage, rmse, spearman
from _roi_variants import ESTIMATORS
from _roi_world import SIMULATOR, Size, city_of, fleet_gains, make_world
from fleetdesk.simulation.city import CitySpec

HERE = Path(__file__).parent
ON_TRIAL = "Method 2"  # whose choice of tasks is tried out on the whole fleet
EIGHTHS = 8


@dataclass(frozen=True)
class Targets:
    """What is asked of the estimator that is on trial; None = nothing."""

    bias: float | None = 0.5
    bias_share: float = 0.05
    spearman: float | None = 0.90
    capture: float | None = 0.88
    threshold: float | None = 0.02
    fleet: float | None = 0.5
    fleet_share: float = 0.35
    coverage: float | None = 0.05  # of 90 %: 85 to 95 %


@dataclass(frozen=True)
class Scenario:
    """A city and what is asked in it; `laws` are fields of the simulator's CitySpec.

    In a small fleet few vehicles share the luck of a future, and where vehicles are charged early
    gains are small beside it: there it takes `luck` times as many.
    """

    vehicles: int = 500
    days: int = 28
    riders_per_day: float = 3600.0
    laws: dict[str, float] = field(default_factory=dict)
    targets: Targets = Targets()
    luck: int = 1


_FLEET_ONLY = Targets(None, 0.0, None, None, None, coverage=None)
SCENARIOS: dict[str, Scenario] = {
    "rich": Scenario(),
    "sparse": Scenario(60, 14, 432.0, targets=Targets(spearman=0.85, capture=0.80), luck=4),
    **{
        f"density-{n}": Scenario(n, 28, 2000.0, {"crew_strength": 2.0}, _FLEET_ONLY)
        for n in (200, 400, 800, 1200)
    },
    "biased-deployment": Scenario(laws={"deployment_bias": 1.0}),
    "battery-collection": Scenario(
        laws={"swap_share": 0.0, "crew_strength": 1.5, "service_below_extra_pct": 20.0}, luck=4
    ),
    "stock-outs": Scenario(250, 28, 4000.0, {"crew_strength": 3.0}, luck=4),
    "gps-jitter": Scenario(laws={"gps_error_m": 60.0}),
}
GROUPS = {"default": ("rich", "sparse"), "all": tuple(SCENARIOS)}


def main() -> None:
    chosen = _arguments()
    if chosen.input:
        _score_input(chosen)
        return
    names = GROUPS.get(chosen.scenario, (chosen.scenario,))
    asked = [(name, seed, chosen) for name in names for seed in range(1, chosen.seeds + 1)]
    seen: dict[str, list[dict[str, dict[str, Figure]]]] = {}
    worlds: dict[str, list[Path]] = {}
    with ProcessPoolExecutor(chosen.jobs) as pool:
        for (name, seed, _), world in zip(asked, pool.map(_world, asked), strict=True):
            about, targets = {"scenario": name, "seed": seed}, SCENARIOS[name].targets
            scores = _score(world, about, targets, chosen, _city(name, seed, chosen))
            seen.setdefault(name, []).append(scores)
            worlds.setdefault(name, []).append(world)
            if seed == chosen.seeds:
                best, within = _thresholds_of_the_city(name, worlds[name]), targets.threshold
                least = None if within is None else best - within
                for estimator in scores:
                    figures = [figures[estimator] for figures in seen[name]]
                    _summary(name, estimator, figures, least)


def _score_input(chosen: argparse.Namespace) -> None:
    """A history made elsewhere: against its truth, or else against the end that is held out."""
    with tempfile.TemporaryDirectory() as folder:
        work, about = Path(folder), {"scenario": "input"}
        given = canonical(chosen.input, work / "given")
        if (given / "truth.parquet").exists():
            _score(with_truth(given, work, chosen.cost), about, Targets(), chosen)
            return
        held_out(given, work, chosen.cost, chosen.held_out_days)
        found = work / "estimates.parquet"
        _estimate(work / "records", found, chosen)
        earned = _columns(work / "earned.parquet")["earned"]
        for name, mine in _by_estimator(_columns(found)).items():
            line = {k: f.line() for k, f in _held_out_scores(mine, earned).items()}
            ran = {"estimator": name, "ran": str(mine["ran"][0]), "states": earned.size}
            print(json.dumps(about | ran | line), flush=True)


def _held_out_scores(mine: dict[str, np.ndarray], earned: np.ndarray) -> dict[str, Figure]:
    """One state's revenue is mostly luck: compare estimators, not the figures with a target."""
    expected = mine["scooter_before"]
    spread = float(np.var(earned))
    return {
        "bias": Figure(bias(expected, earned), better="near"),
        "rmse": Figure(rmse(expected, earned), better="lower"),
        "spearman": Figure(spearman(expected, earned)),
        "explained": Figure(1 - rmse(expected, earned) ** 2 / spread if spread else 0.0),
    }


def _score(
    world: Path,
    about: dict[str, str | int],
    targets: Targets,
    chosen: argparse.Namespace,
    city: tuple[CitySpec, Size] | None = None,
) -> dict[str, dict[str, Figure]]:
    """Estimate, open the truth, print a line per estimator."""
    found = world / "estimates.parquet"
    _estimate(world / "records", found, chosen)
    figures, estimates = _figures(world, found, targets), _by_estimator(_columns(found))
    if city and chosen.fleet_futures and ON_TRIAL in estimates:
        scenario, seed = str(about["scenario"]), int(about["seed"])
        futures = chosen.fleet_futures * SCENARIOS[scenario].luck
        figures[ON_TRIAL] |= _eighths(estimates[ON_TRIAL], city, seed, futures, chosen.cost)
    for estimator, scores in figures.items():
        shown = {name: figure.line() for name, figure in scores.items()}
        ran = {"estimator": estimator, "ran": str(estimates[estimator]["ran"][0])}
        print(json.dumps(about | ran | shown), flush=True)
    return figures


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", choices=[*GROUPS, *SCENARIOS], default="default")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--estimators", nargs="+", choices=ESTIMATORS, default=list(ESTIMATORS))
    parser.add_argument("--vehicles", type=int, help="instead of the scenario's")
    parser.add_argument("--days", type=int, help="instead of the scenario's")
    parser.add_argument("--cells", type=int, default=64)
    parser.add_argument("--cost", type=float, default=6.0, help="money a task")
    parser.add_argument("--futures", type=int, default=60, help="draws behind each true value")
    parser.add_argument("--fleet-futures", type=int, default=12,
                        help="draws in which eighths of the tasks are done; 0 = none")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=100, help="bootstrap draws; 0 = no intervals")
    parser.add_argument("--input", type=Path, metavar="DIR",
                        help="score this history instead: canonical Parquet tables, with a truth "
                             "or without one")  # fmt: skip
    parser.add_argument("--held-out-days", type=int, default=7, help="of --input without a truth")
    parser.add_argument("--quick", action="store_true", help="2 seeds, 30 futures, no intervals")
    parser.add_argument("--unserved", action="store_true",
                        help="no crew serves any vehicle within the horizon")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=2, help="cities simulated at once")
    parser.add_argument("--cache", type=Path, help="where simulated cities are kept",
                        default=Path(tempfile.gettempdir()) / "fleetdesk-roi")  # fmt: skip
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.seeds, chosen.futures, chosen.rounds = 2, 30, 0
    return chosen


def _world(asked: tuple[str, int, argparse.Namespace]) -> Path:
    """The folder of a simulated city, made unless the very same one is kept already."""
    name, seed, chosen = asked
    spec, size = _city(name, seed, chosen)
    code = b"".join(path.read_bytes() for path in SIMULATOR)
    question = f"{spec} {size} {seed} {chosen.cost}".encode()
    key = hashlib.sha256(question + code).hexdigest()[:16]
    folder = chosen.cache / f"{name}-{seed}-{key}"
    if not (folder / "world.json").exists():
        print(f"Simulating {name}, seed {seed} ...", file=sys.stderr, flush=True)
        make_world(spec, size, seed, chosen.cost, folder)
    return folder


def _city(name: str, seed: int, chosen: argparse.Namespace) -> tuple[CitySpec, Size]:
    scenario = SCENARIOS[name]
    vehicles = chosen.vehicles or scenario.vehicles
    size = Size(
        vehicles=vehicles, days=chosen.days or scenario.days, cells=chosen.cells,
        futures=chosen.futures * scenario.luck, batch=max(1, vehicles // 20),
        crews=not chosen.unserved,
    )  # fmt: skip
    return city_of(size, scenario.riders_per_day, seed, **scenario.laws), size


def _estimate(records: Path, out: Path, chosen: argparse.Namespace) -> None:
    """In a process of its own that is told of nothing but the records."""
    command = [
        sys.executable, str(HERE / "_roi_estimate.py"), str(records), str(out),
        "--rounds", str(chosen.rounds), "--estimators", *chosen.estimators,
    ]  # fmt: skip
    subprocess.run(command, check=True)


def _figures(world: Path, found: Path, targets: Targets) -> dict[str, dict[str, Figure]]:
    """The figures of each estimator; here alone the truth is read."""
    truth = _columns(world / "truth.parquet")
    truth.setdefault("gain_se", np.zeros(truth["revenue_after"].size))
    asked = json.loads((world / "records" / "question.json").read_text(encoding="utf-8"))
    battery = _charge(world)
    learnt = json.loads(found.with_suffix(".json").read_text(encoding="utf-8"))
    true = _true_returns(world)
    figures = {}
    for name, mine in _by_estimator(_columns(found)).items():
        if mine["task_id"].tolist() != truth["task_id"].tolist():
            raise SystemExit("The truth is about other tasks, or in another order")
        figures[name] = _scores(mine, true, truth, battery, learnt[name], asked["cost"], targets)
        if (world / "fleet_truth.json").exists():
            whole = json.loads((world / "fleet_truth.json").read_text(encoding="utf-8"))
            figures[name] |= _fleet_scores(mine, whole["gain_per_task"], whole["se"], targets)
    return figures


def _charge(world: Path) -> np.ndarray:
    return _columns(world / "records" / "tasks.parquet")["battery_before_pct"]


def _true_returns(world: Path) -> np.ndarray:
    truth = _columns(world / "truth.parquet")
    asked = json.loads((world / "records" / "question.json").read_text(encoding="utf-8"))
    return truth["revenue_after"] - truth["revenue_without"] - asked["cost"]


def _fleet_scores(
    mine: dict[str, np.ndarray], true: float, se: float, targets: Targets
) -> dict[str, Figure]:
    """The whole fleet's gain per task, over the tasks."""
    fleet = float(np.mean(mine["fleet_after"] - mine["fleet_before"]))
    limit = None if targets.fleet is None else max(targets.fleet, targets.fleet_share * abs(true))
    return {
        "fleet_gain": Figure(fleet, limit, "near", true),
        "fleet_truth_se": Figure(se, better="lower"),
    }


def _eighths(
    mine: dict[str, np.ndarray], city: tuple[CitySpec, Size], seed: int, futures: int, cost: float
) -> dict[str, Figure]:
    """What the fleet really gains from each eighth of the tasks, by their estimated fleet gain.

    One task changes the fleet's revenue by less than luck does, so that whole eighths are done.
    """
    expected = mine["fleet_after"] - mine["fleet_before"]
    parts = np.array_split(np.argsort(-expected, kind="stable"), EIGHTHS)
    groups = [mine["task_id"][part].tolist() for part in parts]
    true, se = fleet_gains(*city, seed, groups, futures)
    own = np.array([expected[part].mean() for part in parts])
    sizes = np.array([part.size for part in parts])
    chosen, pays = own > cost, true > cost
    best = float(((true - cost) * sizes)[pays].sum())
    brought = float(((true - cost) * sizes)[chosen].sum())
    return {
        "fleet_spearman": Figure(spearman(own, true)),
        "fleet_best_eighth": Figure(float(true[0])),
        "fleet_other_eighths": Figure(float(true[1:].mean())),
        "fleet_decided": Figure(brought / max(1, sizes.sum())),
        "fleet_decided_best": Figure(best / max(1, sizes.sum())),
        "fleet_eighths_se": Figure(float(se.mean()), better="lower"),
    }


def _by_estimator(estimates: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """The rows of each estimator, in the order in which they were asked for."""
    names = estimates["estimator"].tolist()
    return {
        name: {column: values[np.array(names) == name] for column, values in estimates.items()}
        for name in dict.fromkeys(names)
    }


def _scores(
    mine: dict[str, np.ndarray], true: np.ndarray, truth: dict[str, np.ndarray],
    battery: np.ndarray, learnt_pct: float, cost: float, targets: Targets,
) -> dict[str, Figure]:  # fmt: skip
    roi = mine["scooter_after"] - mine["scooter_before"] - cost
    near = None
    if targets.bias is not None:
        near = max(targets.bias, targets.bias_share * float(truth["revenue_after"].mean()))
    best = capture(battery < best_threshold(battery, true), true)
    learnt = capture(battery < learnt_pct, true)
    least = None if targets.threshold is None else best - targets.threshold
    figures = {
        "bias": Figure(bias(roi, true), near, "near"),
        "rmse": Figure(rmse(roi, true), better="lower"),
        "spearman": Figure(spearman(roi, true), targets.spearman),
        "capture": Figure(capture(roi > 0, true), targets.capture),
        "threshold_learnt": Figure(learnt, least),
        "threshold_best": Figure(best),
        "truth_se": Figure(float(truth["gain_se"].mean()), better="lower"),
        "seconds": Figure(float(mine["seconds"][0]), better="lower"),
    }
    if "gain_low" in mine and np.isfinite(mine["gain_low"]).all():
        low, high = mine["gain_low"] - cost, mine["gain_high"] - cost
        held = coverage(low, high, true, truth["gain_se"])
        figures["coverage"] = Figure(held, targets.coverage, "near", 0.90)
    return figures


def _thresholds_of_the_city(scenario: str, worlds: list[Path]) -> float:
    """What one threshold brings where the truth chose it: the best by all seeds' tasks together,
    which is returned, and the best by those of all other seeds.

    `threshold_best` has another threshold for every evening and knows the very tasks; this is all
    that knowledge of the city can do.
    """
    tasks = [(_charge(world), _true_returns(world)) for world in worlds]
    best = _best_of(tasks)
    region = [capture(battery < best, true) for battery, true in tasks]
    others = [
        capture(battery < _best_of(tasks[:number] + tasks[number + 1 :]), true)
        for number, (battery, true) in enumerate(tasks)
        if len(tasks) > 1
    ]
    for name, found in (("region", region), ("by_other_seeds", others)):
        if found:
            line = {"bar": f"roi_{scenario}_threshold_{name}"}
            line |= Figure(float(np.mean(found))).line()
            print(json.dumps(line | {"seeds": [round(value, 3) for value in found]}), flush=True)
    return float(np.mean(region))


def _best_of(tasks: list[tuple[np.ndarray, np.ndarray]]) -> float:
    return best_threshold(*(np.concatenate(column) for column in zip(*tasks, strict=True)))


def _summary(
    scenario: str, estimator: str, seeds: list[dict[str, Figure]], least_threshold: float | None
) -> None:
    """One line per figure: the mean over the seeds against the mean target; a threshold learnt is
    held against the best one of the city."""
    for name in seeds[0]:
        all_ = [figures[name] for figures in seeds]
        limit = None if all_[0].limit is None else float(np.mean([f.limit for f in all_]))
        if name == "threshold_learnt":
            limit = least_threshold
        mean = replace(
            all_[0], value=float(np.mean([f.value for f in all_])), limit=limit,
            aim=float(np.mean([f.aim for f in all_])),
        )  # fmt: skip
        bar = {"bar": f"roi_{scenario}_{name}", "estimator": estimator}
        print(json.dumps(bar | mean.line() | {"seeds": [round(f.value, 3) for f in all_]}))


def _columns(path: Path) -> dict[str, np.ndarray]:
    table = pq.read_table(path)
    return {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}


if __name__ == "__main__":
    main()
