"""`fleetdesk score`: today's riders by the models that runs have kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleetdesk.errors import NotEnoughData
from fleetdesk.model.csv_guard import guarded
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.context import Clock, open_context, utc_now
from fleetdesk.workflows.known import known
from fleetdesk.workflows.progress import OnProgress, part, silent
from fleetdesk.workflows.run import run_workbook

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("rider_id", "segment", "chance_to_leave_pct", "risk", "value")
MODELS = ("segments", "churn", "lifetime_value")
_AT_ONCE = 50_000


@dataclass(frozen=True)
class Scored:
    """How today's riders were placed; `doubts` say which models should be learnt anew, and why.

    `groups` has the riders of each segment and risk, without those too few to be shown; `left_out`
    says who is not in the file, and why; `learnt` which models were learnt anew before, and why.
    """

    riders: int
    used: tuple[str, ...]
    groups: Mapping[str, int | None]
    doubts: Mapping[str, str]
    file: Path | None = None
    left_out: str = ""
    learnt: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        lines = [f"Learnt {name} anew: {why}" for name, why in self.learnt.items()]
        lines.append(f"{self.riders} riders by the kept models {', '.join(self.used)}")
        lines += [
            f"  {name}: {'too few to show' if count is None else count}"
            for name, count in self.groups.items()
        ]
        lines += [
            f"Learn {name} anew, {why}: add --learn, or run with --only {name}"
            for name, why in self.doubts.items()
        ]
        if self.file is not None:
            lines.append(f"Wrote {self.file}")
        if self.left_out:
            lines.append(self.left_out)
        return {
            "riders": self.riders,
            "models": list(self.used),
            "groups": dict(self.groups),
            "learn_anew": dict(self.doubts),
            "learnt_anew": dict(self.learnt),
            "file": str(self.file) if self.file else None,
            "left_out": self.left_out,
            "text": "\n".join(lines),
        }


def score(
    address: str | Path,
    *,
    folder: Path | None = None,
    out: Path | None = None,
    learn: bool = False,
    clock: Clock = utc_now,
    on_progress: OnProgress = silent,
) -> Scored:
    """Place today's riders by the newest kept models and write them to the CSV file `out`.

    With `learn`, what the sheet Riders finds too old or too far from today's riders is learnt anew
    first, by a run that answers these questions. Without the leave of that sheet to show ids the
    file has no rows. Raises NotEnoughData where no run has kept a model, StoreUnusable where one
    was tampered with.
    """
    first = part(on_progress, 0.0, 0.3) if learn else on_progress
    found, rows, settings = _scored(address, folder, clock, first)
    if learn and found.doubts:
        run_workbook(
            address, only=tuple(found.doubts), folder=folder, clock=clock,
            on_progress=part(on_progress, 0.3, 0.8),
        )  # fmt: skip
        learnt, last = found.doubts, part(on_progress, 0.8, 1.0)
        found, rows, settings = _scored(address, folder, clock, last)
        found = replace(found, learnt=learnt)
    return found if out is None else _written(found, rows, settings, out)


def _scored(
    address: str | Path, folder: Path | None, clock: Clock, on_progress: OnProgress
) -> tuple[Scored, pd.DataFrame, Settings]:
    """What the kept models say, rider by rider, too, and the settings that it rests on."""
    from fleetdesk.outputs.tables.frames import rows_of, without_small
    from fleetdesk.workflows.kept_models import kept, scored, why_learn_anew
    from fleetdesk.workflows.rider_data import riders_now

    with open_context(str(address), folder, clock, writing=False) as context:
        settings = context.settings
        models = {name: found for name in MODELS if (found := kept(context.folder, name))}
        if not models:
            raise NotEnoughData(
                "No model has been kept yet",
                found=f"nothing of {', '.join(MODELS)} beside the outputs of earlier runs",
                fix="Answer these questions first: fleetdesk run BOOK --only churn",
            )
        on_progress("Reading riders", 0.1)
        record = known(context.store, settings)
        now = riders_now(record, settings)
        on_progress("Scoring riders", 0.7)
        rows = now[["rider_id", "consent"]].join(scored(now, models, record, settings))
        groups: dict[str, int | None] = {}
        for name in ("segment", "risk"):
            if name in rows:
                table = rows.groupby(name).size().rename("riders").reset_index()
                shown = without_small(table, "riders", (), settings)
                for group, riders in rows_of(shown, (name, "riders")):
                    groups[f"{name} {group}"] = riders if isinstance(riders, int) else None
        doubts = {
            name: why
            for name, found in models.items()
            if (why := why_learn_anew(found, now, clock(), settings))
        }
        return Scored(len(rows), tuple(models), groups, doubts), rows, settings


def _written(found: Scored, rows: pd.DataFrame, settings: Settings, out: Path) -> Scored:
    from fleetdesk.outputs.tables.frames import listed

    shown = listed(rows, settings)
    _write(shown[[name for name in COLUMNS if name in rows]], out)
    return replace(found, file=out, left_out=_left_out(len(rows), len(shown), settings))


def _write(rows: pd.DataFrame, out: Path) -> None:
    """The rows as a CSV file; no text in it begins as a formula does."""
    texts = rows.select_dtypes(exclude="number")
    guard = {
        str(name): texts[name].map(lambda text: guarded(text) if isinstance(text, str) else text)
        for name in texts
    }
    rows.assign(**guard).to_csv(out, index=False, lineterminator="\r\n", chunksize=_AT_ONCE)


def _left_out(riders: int, listed: int, settings: Settings) -> str:
    """Who of the riders is not in the file, and why; "" where all are."""
    from fleetdesk.outputs.tables.frames import hidden_note, many

    hidden = hidden_note(settings)
    if hidden:
        return f"The file has its header only. {hidden}"
    if listed == riders:
        return ""
    return f"Not in the file: {many(riders - listed, settings)} riders who did not agree to it"
