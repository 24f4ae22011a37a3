"""`fleetdesk sandbox`: what other settings would have meant on past days; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fleetdesk.fleet.downstream_revenue import estimate
from fleetdesk.fleet.history import History
from fleetdesk.fleet.record_checks import check_records
from fleetdesk.fleet.sandbox import PastFleet, Trial, past_fleet
from fleetdesk.outputs.wording import roi_name
from fleetdesk.settings.schema import Settings
from fleetdesk.workflows.context import Clock, open_context, utc_now
from fleetdesk.workflows.known import known
from fleetdesk.workflows.moment import shift_start
from fleetdesk.workflows.progress import OnProgress, silent
from fleetdesk.workflows.trial_settings import variants


@dataclass(frozen=True)
class Sandbox:
    """Each variant with what it would have meant, a day."""

    trials: tuple[tuple[str, Trial], ...]
    days: int
    roi_name: str
    currency: str

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        return {
            "days": self.days,
            "currency": self.currency,
            "trials": [{"settings": name, **asdict(trial)} for name, trial in self.trials],
            "text": self._text(),
        }

    def _text(self) -> str:
        header = ("Swaps", f"ROI {self.currency}", "Crew h", "Missed rides", "Cost/revenue %")
        width = max([8, *(len(name) for name, _ in self.trials)])
        lines = [
            f"Per day, over {self.days} past days. {self.roi_name}, before travel. Nothing was "
            "written.",
            " " * width + "".join(f"  {name:>14}" for name in header),
        ]
        for name, trial in self.trials:
            share = trial.cost_per_revenue_pct
            cells = (
                f"{trial.swaps:.1f}", f"{trial.roi:.2f}", f"{trial.crew_h:.2f}",
                f"{trial.missed_rides:.1f}", "-" if share is None else f"{share:.1f}",
            )  # fmt: skip
            lines.append(f"{name:<{width}}" + "".join(f"  {cell:>14}" for cell in cells))
        return "\n".join(lines)


def sandbox(
    address: str,
    changes: Sequence[str],
    *,
    folder: Path | None = None,
    weeks: int | None = None,
    clock: Clock = utc_now,
    on_progress: OnProgress = silent,
) -> Sandbox:
    """Try settings such as `Thresholds: Low battery below=25,40` on the last days of the store.

    The sheet's own settings come first, for comparison, each with the swaps below its threshold;
    last come the swaps where ROI > 0, once for all variants that differ by nothing but which
    vehicles are chosen, under the first one's name.
    """
    with open_context(address, folder, clock, writing=False) as context:
        settings = context.settings
        tried = [("as the workbook says", settings)]
        tried += variants(settings, changes) if changes else ()
        fleets: dict[str, tuple[str, PastFleet]] = {}
        trials = []
        checked = check_records(context.store.tables())
        for number, (name, variant) in enumerate(tried):
            on_progress(f"Trying {name}", number / len(tried))
            key = _worth(variant).model_dump_json()
            if key not in fleets:
                history = known(context.store, variant, checked).history
                fleet = street(history, estimate(history, variant), variant, weeks)
                fleets[key] = (name, fleet)
            below = variant.thresholds.low_battery_pct
            trials.append((f"below {below:g} %, {name}", fleets[key][1].trial(below)))
        trials += [(f"where ROI > 0, {n}", fleet.trial(None)) for n, fleet in fleets.values()]
        on_progress("Done", 1.0)
        days = max(fleet.days for _, fleet in fleets.values())
        return Sandbox(tuple(trials), days, roi_name(settings), settings.city.currency)


def _worth(settings: Settings) -> Settings:
    """The settings without those that choose vehicles and leave what they are worth as it is."""
    chooses = {"low_battery_pct": 0.0, "create_by": "ROI", "threshold_scope": "sheet"}
    thresholds = settings.thresholds.model_copy(update=chooses)
    return settings.model_copy(update={"thresholds": thresholds})


def street(
    history: History, downstream: Any, settings: Settings, weeks: int | None = None
) -> PastFleet:
    """The fleet at the start of each day of the last weeks, by default of the sheet's window."""
    days = weeks * 7 if weeks else settings.city.window_days
    return past_fleet(history, downstream, settings, day_starts(history.as_of, settings, days))


def day_starts(as_of: datetime, settings: Settings, days: int) -> list[datetime]:
    """When the first shift began on each of the last whole days, oldest first (UTC-aware)."""
    today: date = as_of.astimezone(ZoneInfo(settings.city.timezone)).date()
    starts = [shift_start(settings, today - timedelta(days=back)) for back in range(days, -1, -1)]
    return [at for at in starts if at < as_of]
