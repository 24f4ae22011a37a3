"""Who is about to leave: calibrated chances, tried on riders of a later time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from fleetdesk.model.feature_words import in_words
from fleetdesk.riders.classify import Flags, Floats, Quality, auc, brier, quality
from fleetdesk.riders.matrix import drawn, numbers
from fleetdesk.riders.threads import fit_for, in_pieces
from fleetdesk.settings.rider_sheets import Churn

NUMBERS = (
    "tenure_months", "package_months", "days_since_last_trip", "km_30d", "km_60d", "trips_30d",
    "trips_60d", "swaps_30d", "spend_30d", "days_active_30d", "avg_speed_kmh", "km_per_trip",
    "price_per_km", "growth_pct", "swap_change_pct", "speed_change_pct", "complaints_30d",
    "late_payments_30d", "payment_delay_days", "referrals", "engagement", "consistency",
    "peak_pct", "night_pct", "weekend_index", "start_battery_pct", "battery_health_pct",
    "uptime_pct", "swap_wait_min", "value_score",
)  # fmt: skip
WORDS = ("package", "channel")
"""What chances are learnt from; the age group is not among it."""
FOLDS = 5
_FEWEST = 2 * FOLDS  # of those who left, and of those who stayed
_TOLD_ROWS = 1_500
FOREST, BOOSTING, BASE_RATE = "random forest", "gradient boosting", "base rate"


@dataclass(frozen=True)
class ChurnModel:
    """A fitted model and the columns it reads; without `pipeline`, everyone has the base rate."""

    kind: str
    numbers: tuple[str, ...]
    words: tuple[str, ...]
    base_rate: float
    pipeline: Pipeline | None

    def chances(self, frame: pd.DataFrame) -> Floats:
        """Each rider's chance to leave within the horizon, 0 to 1."""
        if self.pipeline is None or frame.empty:
            return np.full(len(frame), self.base_rate)
        pipeline = self.pipeline

        def chances(part: pd.DataFrame) -> Floats:
            given = inputs(part, self.numbers, self.words)
            return np.asarray(pipeline.predict_proba(given)[:, 1], dtype=np.float64)

        return in_pieces(chances, frame)


@dataclass(frozen=True, slots=True)
class Driver:
    """What a column is worth: how much AUC is lost without it, and whether more of it is worse.

    `direction` is +1 where riders with more of it leave more, -1 where less, 0 for words.
    """

    column: str
    auc_lost: float
    direction: int


@dataclass(frozen=True)
class ChurnFit:
    """The model for today, how each candidate did on the riders held out, and what drives it.

    `held_out` are the chosen model's chances for the held-out rows when it had not seen them.
    """

    model: ChurnModel
    quality: Mapping[str, Quality]
    held_out: Floats
    drivers: tuple[Driver, ...]
    note: str


def fit_churn(
    learn: pd.DataFrame,
    left: Flags,
    test: pd.DataFrame,
    test_left: Flags,
    settings: Churn,
    seed: int,
    riders: Sequence[str] | NDArray[Any] | None = None,
    columns: tuple[Sequence[str], Sequence[str]] = (NUMBERS, WORDS),
) -> ChurnFit:
    """Learn on earlier riders, try on later ones, and learn the chosen model anew on all.

    `learn` and `test` are one row per rider and moment, `test` later in time; `riders` names the
    riders of `learn`, so that one rider's rows stay on one side when chances are calibrated.
    Classes are never weighted: a chance is a chance. With too few who left, or who stayed, all
    riders have the base rate, and `note` says so.
    """
    limits = (settings.high_risk_pct, settings.medium_risk_pct)
    kinds = (FOREST, BOOSTING) if settings.model == "best" else (settings.model,)
    if not _enough(left):
        model = base_rate(left)
        told = quality(model.chances(test), test_left, limits, seed)
        note = (
            f"{int(left.sum())} of {len(left)} left: too few to tell who; each has the same chance"
        )
        return ChurnFit(model, {BASE_RATE: told}, model.chances(test), (), note)
    tried = {kind: train(learn, left, kind, seed, riders, columns) for kind in kinds}
    chances = {kind: model.chances(test) for kind, model in tried.items()}
    qualities = {kind: quality(p, test_left, limits, seed) for kind, p in chances.items()}
    same = base_rate(left).chances(test)
    qualities[BASE_RATE] = quality(same, test_left, limits, seed)
    best = min(chances, key=lambda kind: brier(chances[kind], test_left))
    both = pd.concat([learn, test], ignore_index=True)
    names = None if riders is None else np.r_[np.asarray(riders), np.asarray(_names(test))]
    model = train(both, np.r_[left, test_left], best, seed, names, columns)
    better = qualities[best].brier.value < qualities[BASE_RATE].brier.value
    note = (
        f"{best}: the smaller squared error on riders of a later time"
        if better
        else f"{best} foretells no better than the same chance for everyone: do not act on it"
    )
    drivers = _drivers(tried[best], test, test_left, seed)
    return ChurnFit(model, qualities, chances[best], drivers, note)


def train(
    frame: pd.DataFrame,
    left: Flags,
    kind: str,
    seed: int,
    riders: Sequence[str] | NDArray[Any] | None = None,
    columns: tuple[Sequence[str], Sequence[str]] = (NUMBERS, WORDS),
) -> ChurnModel:
    """One kind of model with isotonic calibration over folds of riders."""
    if not _enough(left):
        return base_rate(left)
    told = tuple(name for name in columns[0] if name in frame and _tells(numbers(frame[name])))
    words = tuple(
        name for name in columns[1] if name in frame and frame[name].nunique(dropna=False) > 1
    )
    if not told and not words:
        return base_rate(left)
    names = np.arange(len(frame)) if riders is None else np.asarray(riders)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    splits = list(folds.split(np.zeros(len(frame)), left, groups=names))
    calibrated = CalibratedClassifierCV(MODELS[kind](seed), method="isotonic", cv=splits)
    encoder = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=10, sparse_output=False
    )
    columns_ = ColumnTransformer(
        [("numbers", "passthrough", list(told)), ("words", encoder, list(words))]
    )
    pipeline = Pipeline([("columns", columns_), ("model", calibrated)])
    with fit_for(len(frame)):
        pipeline.fit(inputs(frame, told, words), left)
    calibrated.cv = FOLDS  # the rows of the folds are no part of the model that is kept
    return ChurnModel(kind, told, words, float(left.mean()), pipeline)


def base_rate(left: Flags) -> ChurnModel:
    """The same chance for everyone, never quite 0 or 1."""
    share = (float(left.sum()) + 0.5) / (len(left) + 1.0)
    return ChurnModel(BASE_RATE, (), (), share, None)


def inputs(frame: pd.DataFrame, told: Sequence[str], words: Sequence[str]) -> pd.DataFrame:
    """The columns that a model reads: floats with NaN, and words with "missing"."""
    columns: dict[str, Any] = {name: numbers(frame[name]) for name in told}
    columns |= {
        name: frame[name]
        .astype(object)
        .where(frame[name].notna(), "missing")
        .astype(str)
        .to_numpy()
        for name in words
    }
    return pd.DataFrame(columns)


def reasons(
    model: ChurnModel, frame: pd.DataFrame, drivers: Sequence[Driver], most: int = 2
) -> list[str]:
    """Why each rider's chance is what it is: what raises it most against the middle rider.

    Each driver's value is put to that of the middle rider of `frame`, and the chance told anew.
    """
    if model.pipeline is None or frame.empty:
        return ["the same chance for everyone"] * len(frame)
    chance = model.chances(frame)
    names = [driver.column for driver in drivers if driver.column in model.numbers][:6]
    raised = []
    for name in names:
        middle = float(np.nanmedian(numbers(frame[name]))) if _known(frame[name]) else np.nan
        raised.append(chance - model.chances(frame.assign(**{name: middle})))
    told = []
    for row in range(len(frame)):
        order = sorted(range(len(names)), key=lambda i: -raised[i][row])[:most]
        words = [
            f"{in_words(names[i])} {_value(frame[names[i]].iloc[row])}"
            for i in order
            if raised[i][row] >= 0.01
        ]
        told.append(", ".join(words) or "nothing stands out")
    return told


# --- parts ----------------------------------------------------------------------------------------


def _forest(seed: int) -> RandomForestClassifier:
    return RandomForestClassifier(
        200, min_samples_leaf=10, max_features="sqrt", max_samples=0.7, random_state=seed
    )


def _boosting(seed: int) -> HistGradientBoostingClassifier:
    # Small trees over few columns at a time: what leaves is mostly a sum of causes.
    return HistGradientBoostingClassifier(
        learning_rate=0.05, max_iter=200, max_leaf_nodes=4, min_samples_leaf=30,
        l2_regularization=1.0, max_features=0.3, early_stopping=False, random_state=seed,
    )  # fmt: skip


MODELS: dict[str, Callable[[int], Any]] = {FOREST: _forest, BOOSTING: _boosting}


def _drivers(
    model: ChurnModel, test: pd.DataFrame, left: Flags, seed: int, repeats: int = 3
) -> tuple[Driver, ...]:
    """Permutation importance on riders that were not learnt from."""
    rows = drawn(len(test), _TOLD_ROWS, seed)
    part, truth = test.iloc[rows].reset_index(drop=True), left[rows]
    whole = auc(model.chances(part), truth)
    if model.pipeline is None or whole is None:
        return ()
    chance = np.random.default_rng(seed)
    found = []
    for name in (*model.numbers, *model.words):
        lost = []
        for _ in range(repeats):
            mixed = part.assign(**{name: part[name].to_numpy()[chance.permutation(len(part))]})
            lost.append(whole - (auc(model.chances(mixed), truth) or 0.0))
        found.append(Driver(name, float(np.mean(lost)), _direction(model, part, name)))
    return tuple(sorted(found, key=lambda driver: -driver.auc_lost))


def _direction(model: ChurnModel, part: pd.DataFrame, name: str) -> int:
    """Whether chances rise or fall when everyone goes from the lower to the upper quarter."""
    if name not in model.numbers or not _known(part[name]):
        return 0
    low, high = np.nanquantile(numbers(part[name]), (0.25, 0.75))
    change = model.chances(part.assign(**{name: high})) - model.chances(part.assign(**{name: low}))
    return int(np.sign(np.round(change.mean(), 4)))


def _enough(left: Flags) -> bool:
    return min(int(left.sum()), int((~left).sum())) >= _FEWEST


def _tells(values: Floats) -> bool:
    """Whether a column differs between riders; being unknown for some is a difference too."""
    known = values[~np.isnan(values)]
    return bool(known.size and (known.size < values.size or np.ptp(known) > 0.0))


def _known(column: pd.Series) -> bool:
    return bool((~np.isnan(numbers(column))).any())


def _names(frame: pd.DataFrame) -> NDArray[Any]:
    return (
        frame["rider_id"].to_numpy() if "rider_id" in frame else np.arange(len(frame)).astype(str)
    )


def _value(value: Any) -> str:
    return "missing" if pd.isna(value) else f"{float(value):.3g}"
