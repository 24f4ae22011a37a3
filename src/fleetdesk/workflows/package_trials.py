"""Packages on trial: those who hold one today, and what they would do under other terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from fleetdesk.errors import NotEnoughData
from fleetdesk.features.stays import cancellations
from fleetdesk.riders.package_costs import Usage
from fleetdesk.riders.package_trial import Trial, TrialRules, try_packages
from fleetdesk.riders.packages import NONE, on_offer
from fleetdesk.settings.package_sheets import TrialPackage
from fleetdesk.settings.schema import Package, Settings
from fleetdesk.workflows.known import Known
from fleetdesk.workflows.rider_data import frame, held, riders_of

_CHURN_DAYS = 30


@dataclass(frozen=True)
class Holders:
    """Riders with a package: the usage foretold, and each one's place in the sheet Packages.

    `churn_pct` is the share of them that leaves in a month.
    """

    usage: Usage
    package: NDArray[np.int64]
    churn_pct: float

    def trial(self, then: Sequence[Package], settings: Settings) -> Trial:
        """What they would do if these were the packages; those not on offer are for the record."""
        advice = settings.package_advice
        rules = TrialRules(
            advice.least_saving, self.churn_pct, advice.churn_response_pct,
            advice.churn_response_error_pct, advice.cost_per_km,
        )  # fmt: skip
        return try_packages(
            self.usage, self.package, settings.packages, on_offer(then), settings.costs, rules,
            rounds=advice.trial_rounds, seed=settings.city.seed,
        )  # fmt: skip


def holders(record: Known, settings: Settings) -> Holders:
    """Who holds a package now; raises NotEnoughData where nobody does."""
    riders = riders_of(record, settings)
    package = held(riders.now["package"], [one.name for one in settings.packages])
    who = np.flatnonzero(package != NONE)
    if who.size == 0:
        raise NotEnoughData(
            "Nobody holds a package, so nobody can move to another",
            found="no running subscription to a package of the sheet Packages",
            fix="Import subscriptions whose packages are named as in the sheet",
        )
    usage = riders.usage(settings)
    return Holders(Usage(usage.km[who], usage.swaps[who]), package[who], _churn_pct(record))


def on_trial(settings: Settings) -> tuple[Package, ...]:
    """The packages with what the sheet Package trial changes; NotEnoughData where it is blank.

    A new package needs its monthly price, km and swaps.
    """
    if not settings.package_trial:
        raise NotEnoughData(
            "No package is on trial",
            found="no rows on the sheet Package trial",
            fix="Write the packages that you want to try there",
        )
    return with_terms(settings.packages, settings.package_trial)


def with_terms(now: Sequence[Package], terms: Sequence[TrialPackage]) -> tuple[Package, ...]:
    """The packages of today under the terms written for them, and the new ones behind them."""
    packages = {package.name: package for package in now}
    for row in terms:
        told = row.model_dump(exclude={"name", "on_offer"}, exclude_none=True)
        known = packages.get(row.name)
        lacking = {"monthly_price", "included_km", "included_swaps"} - set(told)
        if known is None and lacking:
            raise NotEnoughData(
                f"The new package {row.name} on the sheet Package trial is not complete",
                found="no " + ", no ".join(sorted(word.replace("_", " ") for word in lacking)),
                fix="Fill these in, or use the name of a package of the sheet Packages",
            )
        base = known.model_dump() if known else {"name": row.name}
        packages[row.name] = Package(**(base | told | {"active": row.on_offer}))
    return tuple(packages.values())


def _churn_pct(record: Known) -> float:
    """Share of package holders who cancelled in the last month of days, of those at its start."""
    as_of = record.moment.as_of
    rows = frame(cancellations(record.tables, as_of - timedelta(days=_CHURN_DAYS), as_of))
    return 100.0 * float(rows["gone"].sum()) / float(rows["held"].sum()) if len(rows) else 0.0
