"""What the scoring server answers: chance to leave, its band and action, and the segment.

Uses the models that the last runs left in the workspace; loads pandas and scikit-learn.
"""

from __future__ import annotations

import math
import secrets as random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fleetdesk.errors import FleetDeskError
from fleetdesk.features.riders import COLUMNS
from fleetdesk.riders.churn import ChurnModel
from fleetdesk.riders.churn_actions import actions, bands
from fleetdesk.riders.quick_chances import QuickChances, ready
from fleetdesk.riders.segments import SegmentModel
from fleetdesk.settings import secrets
from fleetdesk.settings.reading import read_settings
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.open import open_workbook
from fleetdesk.store.model_files import Kept
from fleetdesk.workflows.context import workbook_in
from fleetdesk.workflows.kept_models import kept

TOKEN = "serve-token"  # noqa: S105 - its name
_WORDS = frozenset({"rider_id", "package", "channel"})
_LEFT_OUT = frozenset({"at", "consent", "age_group"})
KNOWN = frozenset(COLUMNS) - _LEFT_OUT
"""What may be told of a rider: the features of features.riders, by their names."""


@dataclass(frozen=True)
class Scorer:
    """The models and the sheet's bands and actions; scoring changes nothing."""

    churn: QuickChances
    segments: SegmentModel | None
    settings: Settings
    made_at: str

    def score(self, riders: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One answer per rider in the order given; what is not told counts as not known."""
        frame = _frame(riders)
        chance = self.churn.chances(frame)
        band = bands(chance, self.settings.churn)
        known = actions(self.settings.churn)
        segment = (
            [self.segments.names[place] for place in self.segments.labels(frame).tolist()]
            if self.segments
            else [None] * len(frame)
        )
        return [
            {
                "rider_id": rider.get("rider_id"),
                "risk_pct": round(100.0 * float(chance[place]), 2),
                "band": known[int(band[place])].band,
                "action": known[int(band[place])].what,
                "segment": segment[place],
            }
            for place, rider in enumerate(riders)
        ]


def load_scorer(folder: Path) -> Scorer:
    """The newest models of a workspace; FleetDeskError where no run has left one.

    Raises StoreUnusable when a model file was changed since it was kept.
    """
    churn = kept(folder, "churn")
    model = _part(churn, ChurnModel)
    if churn is None or model is None:
        raise FleetDeskError(
            f"There is no model of churn in {folder}",
            found="no run that learnt one: where trips are too few to learn who leaves, the sheet "
            "Churn model says that the time in the package alone was asked, and nothing is kept",
            fix="Run it first: fleetdesk run BOOK --only churn",
        )
    settings = read_settings(open_workbook(workbook_in(folder), secrets.reveal).snapshot()).settings
    segments = _part(kept(folder, "segments"), SegmentModel)
    return Scorer(ready(model), segments, settings, churn.manifest.made_at.isoformat())


def token_for_server() -> tuple[str, bool]:
    """The server's token, and whether it was made just now and has to be shown once.

    It comes from FLEETDESK_SERVE_TOKEN or the keyring; FleetDeskError where there is neither.
    """
    known = secrets.reveal(TOKEN)
    if known:
        return known, False
    made = random.token_urlsafe(32)
    try:
        secrets.put(TOKEN, made)
    except FleetDeskError as error:
        raise FleetDeskError(
            "The server has no token, and there is no keyring here to keep one",
            found=str(error),
            fix=f"Set {secrets.variable(TOKEN)} to a long random text",
        ) from error
    return made, True


def _part(model: Kept | None, kind: type[Any]) -> Any:
    parts = model.parts.values() if model else ()
    return next((part for part in parts if isinstance(part, kind)), None)


def _frame(riders: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        told = [rider.get(name) for rider in riders]
        if name in _WORDS:
            columns[name] = np.array(told, dtype=object)
        elif name not in _LEFT_OUT:
            columns[name] = [math.nan if value is None else float(value) for value in told]
    return pd.DataFrame(columns)
