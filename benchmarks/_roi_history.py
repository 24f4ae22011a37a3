"""Histories made elsewhere, for `benchmarks/roi.py --input`: with a truth, or with a held-out end.

No estimator is called here. What it may learn from is copied into a folder without the truth and,
where the end of the history is held out, without that end.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

SWAP_RISE_PCT = 15.0
_NEEDED = ("events.parquet", "trips.parquet")
_SWAPS = "rider_swaps.parquet"
_ASKED = {"timezone": "UTC", "currency": "EUR", "horizon_h": 24.0, "usable_battery_pct": 10.0}


def with_truth(folder: Path, work: Path, cost: float) -> Path:
    """A world as the simulator would have left it: records apart from the truth."""
    records = work / "records"
    records.mkdir(parents=True, exist_ok=True)
    for name in (*_NEEDED, _SWAPS, "tasks.parquet"):
        if name != _SWAPS or (folder / name).exists():
            shutil.copyfile(folder / name, records / name)
    events = pd.read_parquet(folder / "events.parquet", columns=["event_at"])
    end = events.event_at.max().floor("us") + pd.Timedelta(microseconds=1)
    _ask(folder, records, end.to_pydatetime(), events.event_at.min().to_pydatetime(), cost)
    for name in ("truth.parquet", "fleet_truth.json"):
        if (folder / name).exists():
            shutil.copyfile(folder / name, work / name)
    return work


def held_out(folder: Path, work: Path, cost: float, days: int) -> Path:
    """The history up to `days` before its end, and every state in those days with what it earned.

    At 0:00 and 12:00 UTC each rentable vehicle is one state. What it earned until it was served,
    or until the horizon if that came first, goes to `work/earned.parquet`.
    """
    records = work / "records"
    records.mkdir(parents=True, exist_ok=True)
    events = pd.read_parquet(folder / "events.parquet").sort_values(["event_at", "event_id"])
    trips = pd.read_parquet(folder / "trips.parquet")
    end = events.event_at.max().floor("12h")
    cut = end - pd.Timedelta(days=days)
    if cut <= events.event_at.min():
        raise SystemExit(
            f"The history spans {(end - events.event_at.min()).days} days, of which {days} cannot "
            "be held out: choose fewer with --held-out-days"
        )
    events[events.event_at < cut].to_parquet(records / "events.parquet")
    trips[trips.ended_at <= cut].to_parquet(records / "trips.parquet")
    if (folder / _SWAPS).exists():
        swaps = pd.read_parquet(folder / _SWAPS)
        swaps[swaps.swapped_at <= cut].to_parquet(records / _SWAPS)
    asked = _ask(folder, records, cut.to_pydatetime(), events.event_at.min().to_pydatetime(), cost)
    states = _states(events, cut, end, asked["horizon_h"])
    if states.empty:
        raise SystemExit("No vehicle was rentable in the days held out: nothing can be scored")
    task = {
        "task_id": states.state_id, "operational": True,
        "cell_before": states.cell, "battery_before_pct": states.battery_pct,
        "cell_after": states.cell, "battery_after_pct": states.battery_pct,
        "start_at": states.start_at, "hours": states.hours,
    }  # fmt: skip
    pd.DataFrame(task).to_parquet(records / "tasks.parquet")
    earned = _earned(states, trips)
    pd.DataFrame({"task_id": states.state_id, "earned": earned}).to_parquet(work / "earned.parquet")
    return work


def _ask(
    folder: Path, records: Path, as_of: datetime, first: datetime, cost: float
) -> dict[str, float]:
    """`question.json`, what it leaves out filled in."""
    path = folder / "question.json"
    given = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    days = max(1, min(400, round((as_of - first) / timedelta(days=1))))
    asked = _ASKED | {"window_days": days, "cost": cost} | given
    if "as_of" not in given or as_of < _naive(given["as_of"]):
        asked["as_of"] = as_of.replace(tzinfo=UTC).isoformat()
    (records / "question.json").write_text(json.dumps(asked), encoding="utf-8")
    return asked


def _naive(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone(UTC).replace(tzinfo=None)


def _states(
    events: pd.DataFrame, cut: pd.Timestamp, end: pd.Timestamp, horizon_h: float
) -> pd.DataFrame:
    """Rentable vehicles at each moment, with the hours to the horizon or to their next service."""
    battery = events.groupby("vehicle_id").battery_pct
    rise = events.battery_pct - battery.shift()
    events = events.assign(
        battery_pct=battery.ffill(),
        served=(events.vehicle_state == "removed")
        | events.event_types.str.contains("battery_charged|provider_drop_off")
        | (rise >= SWAP_RISE_PCT),
    )
    services = {vehicle: rows.to_numpy() for vehicle, rows in
                events[events.served].groupby("vehicle_id").event_at}  # fmt: skip
    horizon = np.timedelta64(round(horizon_h * 3600), "s")
    parts = []
    for start in pd.date_range(cut, end - pd.Timedelta(hours=horizon_h), freq="12h"):
        now = events[events.event_at <= start].groupby("vehicle_id").tail(1)
        now = now[now.vehicle_state == "available"]
        until = [_until(services.get(v), start.to_datetime64(), horizon) for v in now.vehicle_id]
        hours = (np.array(until) - start.to_datetime64()) / np.timedelta64(1, "h")
        parts.append(now.assign(start_at=start, hours=hours))
    states = pd.concat(parts, ignore_index=True)
    states = states[(states.hours > 0) & (states.cell != "")]
    return states.assign(state_id=[f"s{n:06d}" for n in range(len(states))])


def _until(
    services: np.ndarray | None, start: np.datetime64, horizon: np.timedelta64
) -> np.datetime64:
    """The next service after `start`, or the horizon."""
    if services is not None:
        after = services[services > start]
        if after.size:
            return min(after[0], start + horizon)
    return start + horizon


def _earned(states: pd.DataFrame, trips: pd.DataFrame) -> np.ndarray:
    """Revenue of each state's vehicle from trips that start within its hours."""
    by_vehicle = {
        vehicle: (rows.started_at.to_numpy(), rows.revenue.to_numpy())
        for vehicle, rows in trips.dropna(subset=["vehicle_id"]).groupby("vehicle_id")
    }
    earned = []
    for state in states.itertuples():
        begun, money = by_vehicle.get(state.vehicle_id, (np.empty(0, "M8[us]"), np.empty(0)))
        start = state.start_at.to_datetime64()
        stop = start + np.timedelta64(round(state.hours * 3600), "s")
        earned.append(float(np.nansum(money[(begun >= start) & (begun < stop)])))
    return np.array(earned)
