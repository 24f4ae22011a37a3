"""Riders as frames: their past months for learning, and what is known of them now.

Loads pandas; answers import it only when they answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fleetdesk.errors import NotEnoughData
from fleetdesk.features.calendar import naive_utc
from fleetdesk.features.rider_periods import rider_periods
from fleetdesk.features.riders import riders_over
from fleetdesk.features.trips import priced
from fleetdesk.riders.classify import Flags
from fleetdesk.riders.matrix import numbers
from fleetdesk.riders.package_costs import Usage, usage_scenarios
from fleetdesk.riders.package_rules import Buffers
from fleetdesk.riders.packages import NONE, PackageRules, People
from fleetdesk.riders.usage import BOOSTING, FOREST, UsageForecast, forecast_usage
from fleetdesk.settings.schema import Package, Settings
from fleetdesk.workflows.known import Known

FEATURES = (
    "km", "km_30d", "km_60d", "km_90d", "trips_30d", "swaps_30d", "days_active_30d",
    "days_since_last_trip", "growth_pct", "weekend_index", "peak_pct", "night_pct", "km_per_trip",
    "consistency", "swaps_per_week", "tenure_months", "package_months", "battery_health_pct",
)  # fmt: skip
_THERE_DAYS = 90
_STEPS = 3e8
"""Steps of one: being thirds, no decimal and no half of one lies midway between two of them."""
_PRIOR_KM = 100.0
"""Km of everybody's swaps that a rider's own swaps per km are weighed against."""


@dataclass(frozen=True)
class Riders:
    """Everybody who rode lately or holds a package: `now` one row each, `history` also of the past.

    `forecast` is the usage of the days ahead, in the order of `now`.
    """

    now: pd.DataFrame
    history: pd.DataFrame
    forecast: UsageForecast

    def usage(self, settings: Settings) -> Usage:
        """Scenarios of the coming month; where no interval is known, the sheet's swing is taken."""
        rows, scale = self.forecast.riders, 30.0 / settings.usage.horizon_days
        km = rows["km"].to_numpy(float) * scale
        swing = settings.usage.unknown_swing_pct / 100.0
        low = np.where(rows["low"].isna(), km * (1 - swing), rows["low"] * scale)
        high = np.where(rows["high"].isna(), km * (1 + swing), rows["high"] * scale)
        return usage_scenarios(km, low, high, _swaps_per_km(self.now), settings.usage.interval_pct)

    def people(self, packages: tuple[Package, ...], settings: Settings) -> People:
        """As advice on packages takes them; a package that is not on offer counts as none."""
        names = [package.name for package in packages]
        return People(
            rider_id=tuple(self.now["rider_id"]),
            usage=self.usage(settings),
            package=held(self.now["package"], names),
            package_months=self.now["package_months"].to_numpy(float),
            tenure_months=self.now["tenure_months"].to_numpy(float),
            features=self.now[list(FEATURES)].to_numpy(float),
        )


def riders_of(record: Known, settings: Settings, *, forest: bool = False) -> Riders:
    """Gather the riders and foretell their usage; `forest` also tries a random forest.

    Raises NotEnoughData where no rider is known.
    """
    history = record.once("usage history", lambda: usage_history(record, settings))
    now = history[history["at"] == naive_utc(record.moment.as_of)].reset_index(drop=True)
    if now.empty:
        raise NotEnoughData(
            "No riders are known who rode lately or hold a package",
            found="no rows that fit in riders, trips and subscriptions",
            fix="Import riders, and trips with their rider_id",
        )
    models = (BOOSTING, FOREST) if forest else (BOOSTING,)
    forecast = record.once(
        f"usage by {', '.join(models)}",
        lambda: forecast_usage(
            history, FEATURES, interval_pct=settings.usage.interval_pct, seed=settings.city.seed,
            models=models,
        ),
    )  # fmt: skip
    return Riders(now, history, forecast)


def usage_history(record: Known, settings: Settings) -> pd.DataFrame:
    """What was known of each rider at moments one horizon apart, with the km before and after."""
    tables, as_of, days = record.tables, record.moment.as_of, settings.usage.horizon_days
    first = first_trip(tables)
    reach = (as_of - first) / timedelta(days=1) if first else 0.0
    count = max(min(int(reach // days), settings.usage.months_back), 1)
    moments = [as_of - timedelta(days=days * ago) for ago in range(count - 1, -1, -1)]
    features = frame(riders_over(tables, moments, settings, first))
    sums = frame(rider_periods(priced(tables["trips"], settings.costs), as_of, days, count))
    km = sums.set_index(["rider_id", "period"])["km"] if len(sums) else pd.Series(dtype=float)
    past_days = (naive_utc(as_of) - features["at"]).dt.total_seconds() / 86_400.0
    ago = (past_days / days).round().astype("int64")
    features = features.assign(
        km=_looked_up(km, features["rider_id"], ago),
        km_next=np.where(ago > 0, _looked_up(km, features["rider_id"], ago - 1), np.nan),
    )
    there = (features["km"] > 0) | features["package"].notna()
    rows = features[there].sort_values(["at", "rider_id"], ignore_index=True)
    numbers = [name for name in FEATURES if name not in ("km",)]
    return rows.assign(**{name: pd.to_numeric(rows[name]).astype(float) for name in numbers})


def riders_now(record: Known, settings: Settings) -> pd.DataFrame:
    """What is known now of riders who hold a package or rode within 90 days, by rider_id.

    Raises NotEnoughData without any.
    """

    def make() -> pd.DataFrame:
        now = record.moment.as_of
        rows = frame(riders_over(record.tables, [now], settings, first_trip(record.tables)))
        lately = numbers(rows["days_since_last_trip"]) <= _THERE_DAYS
        rows = rows[lately | rows["package"].notna()]
        return rows.sort_values("rider_id", ignore_index=True)

    rows: pd.DataFrame = record.once("riders now", make)
    if rows.empty:
        raise NotEnoughData(
            "No riders are known who rode lately or hold a package",
            found="no rows that fit in riders, trips and subscriptions",
            fix="Import riders, and trips with their rider_id",
        )
    return rows


def may_leave(riders: pd.DataFrame, settings: Settings) -> Flags:
    """Who rode within the churn horizon or holds a package; who has left already cannot leave."""
    lately = numbers(riders["days_since_last_trip"]) <= settings.churn.horizon_days
    return np.asarray(lately | riders["package"].notna(), dtype=np.bool_)


def package_rules(record: Known, settings: Settings) -> PackageRules:
    """The sheet's rules, with whether the moment is in season."""
    advice = settings.package_advice
    return PackageRules(
        Buffers(
            advice.growth_pct, advice.season_pct, advice.new_pct, advice.new_months,
            advice.keep_months,
        ),
        advice.margin_floor_pct, advice.discount_cap_pct, advice.least_saving, advice.neighbours,
        advice.factors, advice.cost_per_km, in_season(record.moment.as_of, settings),
    )  # fmt: skip


def in_season(as_of: datetime, settings: Settings) -> bool:
    """Whether the month is one of the high season, which may go over the new year."""
    first, last = settings.package_advice.season_from_month, settings.package_advice.season_to_month
    if first <= last:
        return first <= as_of.month <= last
    return as_of.month >= first or as_of.month <= last


def held(packages: pd.Series[Any], names: list[str]) -> NDArray[np.int64]:
    """Each rider's package as its place in `names`, -1 = none of them."""
    place = {name: number for number, name in enumerate(names)}
    return np.array([place.get(str(name), NONE) for name in packages], dtype=np.int64)


def first_trip(tables: Mapping[str, Any]) -> datetime | None:
    """When the records of trips begin, UTC-aware."""
    found = tables["trips"].started_at.min().to_pyarrow().as_py()
    return None if found is None else found.replace(tzinfo=UTC)


def frame(expression: Any) -> pd.DataFrame:
    """The rows of an expression, in no order, with the same amounts from every engine.

    Engines add in different orders, which shows in a sum's last digits and grows in what is learnt
    from them; so amounts are brought to the nearest step.
    """
    rows: pd.DataFrame = expression.to_pyarrow().to_pandas()
    for name in rows.select_dtypes("float"):
        rows[name] = np.rint(rows[name] * _STEPS) / _STEPS
    return rows


def _looked_up(values: pd.Series[Any], riders: pd.Series[Any], period: Any) -> NDArray[np.float64]:
    keys = pd.MultiIndex.from_arrays([riders, period])
    found = values.reindex(keys).to_numpy(float) if len(values) else np.zeros(len(riders))
    return np.nan_to_num(found)


def _swaps_per_km(now: pd.DataFrame) -> NDArray[np.float64]:
    swaps = now["swaps_90d"].fillna(now["swaps_30d"]).fillna(0).to_numpy(float)
    km = now["km_90d"].fillna(now["km_30d"]).fillna(0.0).to_numpy(float)
    usual = swaps.sum() / km.sum() if km.sum() else 0.0
    return np.asarray((swaps + usual * _PRIOR_KM) / (km + _PRIOR_KM))
