"""What `benchmarks/roi.py --input` is given: checked, and brought into canonical form.

No estimator and no simulator is called here; tables are read as `fleetdesk import tables` reads
them, so that the same is refused in the same words.
"""

from __future__ import annotations

import json
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fleetdesk.errors import FleetDeskError
from fleetdesk.sources.canonical import CanonicalFolder

_NEEDED = ("events", "trips")
_OPTIONAL = ("rider_swaps",)
_TEXT, _NUMBER = "text", "numbers"
_TASKS = {
    "task_id": _TEXT, "operational": "bool", "cell_before": _TEXT, "battery_before_pct": _NUMBER,
    "cell_after": _TEXT, "battery_after_pct": _NUMBER,
}  # fmt: skip
_TASKS_MAY = {"start_at": "times", "hours": _NUMBER}
_TRUTH = {"task_id": _TEXT, "revenue_after": _NUMBER, "revenue_without": _NUMBER}
_TRUTH_MAY = {"gain_se": _NUMBER}
_QUESTION = {
    "timezone": ZoneInfo, "currency": str, "as_of": datetime.fromisoformat, "window_days": int,
    "horizon_h": float, "cost": float, "usable_battery_pct": float,
}  # fmt: skip
_GUIDE = "see docs/roi-benchmark.md"


def canonical(folder: Path, work: Path) -> Path:
    """A checked copy of what was given, in `work`; a sentence where it cannot be used."""
    missing = [f"{name}.parquet" for name in _NEEDED if not (folder / f"{name}.parquet").exists()]
    truth = folder / "truth.parquet"
    if truth.exists() and not (folder / "tasks.parquet").exists():
        missing.append("tasks.parquet, which truth.parquet is about")
    if missing:
        raise SystemExit(f"{folder} lacks {' and '.join(missing)}: {_GUIDE}")
    work.mkdir(parents=True)
    _tables(folder, work)
    _json(folder, work, "question.json", _QUESTION)
    _json(folder, work, "fleet_truth.json", {"gain_per_task": float, "se": float}, all_=True)
    if truth.exists():
        tasks = _frame(folder, work, "tasks.parquet", _TASKS, _TASKS_MAY)
        true = _frame(folder, work, "truth.parquet", _TRUTH, _TRUTH_MAY)
        if tasks.task_id.tolist() != true.task_id.tolist():
            raise SystemExit(
                f"The truth is about other tasks, or in another order: {len(true)} rows in "
                f"truth.parquet, {len(tasks)} in tasks.parquet"
            )
    return work


def _tables(folder: Path, work: Path) -> None:
    """The tables as an import would have them; rows that it would leave out are told."""
    given = work / "given"
    given.mkdir()
    for name in (*_NEEDED, *_OPTIONAL):
        if (folder / f"{name}.parquet").exists():
            shutil.copyfile(folder / f"{name}.parquet", given / f"{name}.parquet")
    rows: dict[str, list[pa.Table]] = {}
    try:
        source = CanonicalFolder(given)
        for name, table in source.read():
            rows.setdefault(name, []).append(table)
    except FleetDeskError as trouble:
        raise SystemExit(str(trouble)) from None
    for note in source.report().notes:
        print(note, file=sys.stderr)
    for dropped in source.report().dropped:
        print(f"Left out, {dropped.reason}: {dropped.rows} rows", file=sys.stderr)
    for name, parts in rows.items():
        whole = pa.concat_tables(parts)
        if name in _NEEDED and not whole.num_rows:
            raise SystemExit(f"{name}.parquet has no row to learn from: {_GUIDE}")
        pq.write_table(whole, work / f"{name}.parquet")
    for name in _NEEDED:
        if name not in rows:
            raise SystemExit(f"{name}.parquet has no row to learn from: {_GUIDE}")
    shutil.rmtree(given)


def _frame(
    folder: Path, work: Path, name: str, needed: dict[str, str], may: dict[str, str]
) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(folder / name)
    except (pa.ArrowInvalid, OSError) as trouble:
        raise SystemExit(f"{name} cannot be read as Parquet: {trouble}") from None
    lacking = [column for column in needed if column not in frame]
    if lacking:
        raise SystemExit(f"{name} lacks {', '.join(lacking)}: {_GUIDE}")
    if frame.empty:
        raise SystemExit(f"{name} has no row: {_GUIDE}")
    kept = {column: kind for column, kind in (needed | may).items() if column in frame}
    typed = pd.DataFrame({column: _typed(name, frame[column], kept[column]) for column in kept})
    typed.to_parquet(work / name)
    return typed


def _typed(name: str, values: pd.Series, kind: str) -> pd.Series:
    """The column as its kind; only a charge may be unknown."""
    if kind == _TEXT:
        good = values.map(lambda value: isinstance(value, str)).all()
    elif kind == _NUMBER:
        good = pd.api.types.is_numeric_dtype(values) or values.isna().all()
        values = values.astype(float) if good else values
    elif kind == "bool":
        good = pd.api.types.is_bool_dtype(values)
    else:
        good = pd.api.types.is_datetime64_any_dtype(values)
    if not good or (values.isna().any() and not str(values.name).endswith("_pct")):
        raise SystemExit(
            f"{name}: the column {values.name} must hold {kind} in every row: {_GUIDE}"
        )
    return values


def _json(
    folder: Path, work: Path, name: str, known: dict[str, Any], *, all_: bool = False
) -> None:
    """Copy a file of single values, if there is one and all its values can be read."""
    if not (folder / name).exists():
        return
    try:
        values = json.loads((folder / name).read_text(encoding="utf-8"))
    except ValueError as trouble:
        raise SystemExit(f"{name} cannot be read as JSON: {trouble}") from None
    odd = [key for key in values if key not in known] if isinstance(values, dict) else [name]
    lacking = [key for key in known if all_ and key not in values]
    if odd or lacking:
        told = f"does not know {', '.join(odd)}" if odd else f"lacks {', '.join(lacking)}"
        raise SystemExit(f"{name} {told}; it holds {', '.join(known)}: {_GUIDE}")
    for key, value in values.items():
        try:
            known[key](value)
        except (TypeError, ValueError, KeyError, OSError):
            raise SystemExit(f"{name}: {key} cannot be {value!r}: {_GUIDE}") from None
    shutil.copyfile(folder / name, work / name)
