"""Which package suits each rider, why, and who is in the wrong one.

Four advisers speak (rules, newsvendor, neighbours, factors); the package of least expected cost to
the rider decides, among those that leave the operator the margin that the sheet asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from fleetdesk.errors import NotEnoughData
from fleetdesk.riders.package_costs import Usage, margins, rider_costs
from fleetdesk.riders.package_peers import by_factors, by_neighbours
from fleetdesk.riders.package_rules import Buffers, by_newsvendor, by_rules, protected
from fleetdesk.settings.schema import Costs, Package

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NONE = -1


@dataclass(frozen=True, slots=True)
class PackageRules:
    """What the sheet asks of a recommendation; percent, months and money as there."""

    buffers: Buffers
    margin_floor_pct: float
    discount_cap_pct: float
    least_saving: float
    neighbours: int
    factors: int
    cost_per_km: float
    peak_season: bool


@dataclass(frozen=True)
class People:
    """Who is advised, arrays over riders: usage forecast, package (number or -1), months, habits.

    `usage` are scenarios of the coming month, `features` riders x habits (NaN where not known).
    """

    rider_id: tuple[str, ...]
    usage: Usage
    package: Ints
    package_months: Floats
    tenure_months: Floats
    features: Floats


@dataclass(frozen=True)
class Advice:
    """`rows`: one per rider, in the order given; `packages` on offer by included km.

    rows: rider_id, km, swaps, package, rule, newsvendor, neighbours, factors, advised (names or
    None), cost_now, cost_advised, saving, margin_now, margin_advised, discount_room_pct, wrong,
    reason.
    """

    rows: pd.DataFrame
    packages: tuple[Package, ...]

    @property
    def holders(self) -> int:
        """Riders who hold a package that is in the sheet."""
        return int(self.rows["package"].notna().sum())

    @property
    def wrong(self) -> int:
        """Holders for whom another package is better, whether or not they may move to it yet."""
        return int(self.rows["wrong"].sum())

    def wrong_share(self, interval_pct: float = 95.0) -> tuple[float, float, float] | None:
        """Share of holders in the wrong package, in percent, with Wilson's interval."""
        if not self.holders:
            return None
        test = stats.binomtest(self.wrong, self.holders)
        found = test.proportion_ci(interval_pct / 100.0, method="wilson")
        return (
            100.0 * self.wrong / self.holders,
            100.0 * float(found.low),
            100.0 * float(found.high),
        )


def on_offer(packages: Sequence[Package]) -> tuple[Package, ...]:
    """The active packages by included km; NotEnoughData when there is none."""
    found = tuple(
        sorted((p for p in packages if p.active), key=lambda p: (p.included_km, p.monthly_price))
    )
    if not found:
        raise NotEnoughData(
            "No package is on offer",
            found="none on the sheet Packages",
            fix="List packages there, with On offer set to yes",
        )
    return found


def advise(
    people: People, packages: Sequence[Package], costs: Costs, rules: PackageRules, seed: int
) -> Advice:
    """Advice for every rider on `packages` (from `on_offer`); deterministic for a seed."""
    price = rider_costs(people.usage, packages)
    margin = margins(people.usage, packages, costs, rules.cost_per_km)
    km, swaps = people.usage.km.mean(axis=1), people.usage.swaps.mean(axis=1)
    allowed = _allowed(price, margin, rules)
    best = np.where(allowed, price, np.inf).argmin(axis=1).astype(np.int64)
    # Where no package leaves the margin, the one that leaves most.
    best = np.where(allowed.any(axis=1), best, margin.argmax(axis=1))
    wanted = protected(best, people.package, people.package_months, rules.buffers.keep_months)
    advisers = {
        "rule": protected(
            by_rules(km, swaps, packages, rules.buffers, tenure_months=people.tenure_months,
                     peak_season=rules.peak_season),
            people.package, people.package_months, rules.buffers.keep_months,
        ),
        "newsvendor": by_newsvendor(people.usage, packages),
        **_peers(people, price, len(packages), rules, seed),
    }  # fmt: skip
    rows = np.arange(people.usage.riders)
    holds = people.package != NONE
    now = np.where(holds, people.package, 0)
    saving = np.where(holds, price[rows, now] - price[rows, wanted], np.nan)
    final = np.where(holds & (saving < rules.least_saving) & (saving >= 0), people.package, wanted)
    saving = np.where(holds, price[rows, now] - price[rows, final], np.nan)
    could = price[rows, now] - price[rows, best]
    # Below zero: the present one leaves less than the margin asked for.
    better = (best != people.package) & ((could >= rules.least_saving) | (could < 0))
    names = [package.name for package in packages]
    frame = pd.DataFrame(
        {
            "rider_id": list(people.rider_id),
            "km": km,
            "swaps": swaps,
            "package": _named(people.package, names),
            **{name: _named(choice, names) for name, choice in advisers.items()},
            "advised": _named(final, names),
            "cost_now": np.where(holds, price[rows, now], np.nan),
            "cost_advised": price[rows, final],
            "saving": saving,
            "margin_now": np.where(holds, margin[rows, now], np.nan),
            "margin_advised": margin[rows, final],
            "discount_room_pct": _discount_room(final, packages, rules),
            "wrong": holds & better,
        }
    )
    reasons = _reasons(people, final, best, wanted, allowed, packages, frame, rules)
    return Advice(frame.assign(reason=reasons), tuple(packages))


def _allowed(price: Floats, margin: Floats, rules: PackageRules) -> NDArray[np.bool_]:
    return np.asarray(margin >= rules.margin_floor_pct / 100.0 * price)


def _peers(
    people: People, price: Floats, packages: int, rules: PackageRules, seed: int
) -> dict[str, Ints]:
    """Those who hold the package that is cheapest for them are the ones to learn from."""
    content = people.package == price.argmin(axis=1)
    return {
        "neighbours": by_neighbours(
            people.features, people.package, content, packages, rules.neighbours
        ),
        "factors": by_factors(
            people.features, np.where(content, people.package, NONE), people.package_months,
            packages, factors=rules.factors, seed=seed,
        ),
    }  # fmt: skip


def _discount_room(final: Ints, packages: Sequence[Package], rules: PackageRules) -> Floats:
    """How far the price may go down before floor or discount cap, in percent of it."""
    room = [
        min(
            rules.discount_cap_pct,
            100.0 * (1 - p.floor_price / p.monthly_price) if p.monthly_price else 0.0,
        )
        for p in packages
    ]
    return np.asarray(np.maximum(np.array(room), 0.0)[final])


def _named(choice: Ints, names: Sequence[str]) -> list[str | None]:
    return [names[number] if number != NONE else None for number in choice.tolist()]


def _reasons(
    people: People, final: Ints, best: Ints, wanted: Ints, allowed: NDArray[np.bool_],
    packages: Sequence[Package], rows: pd.DataFrame, rules: PackageRules,
) -> list[str]:  # fmt: skip
    told = []
    for number, (km, saving) in enumerate(zip(rows["km"], rows["saving"], strict=True)):
        package, use = packages[int(final[number])], f"{km:.0f} km a month expected"
        if people.package[number] == NONE:
            reason = f"{use}: {package.name} costs least"
        elif wanted[number] != best[number]:
            months = people.package_months[number]
            reason = (
                f"{packages[int(best[number])].name} would cost less, but only {months:.1f} of "
                f"{rules.buffers.keep_months:g} months in {package.name}"
            )
        elif final[number] == people.package[number]:
            reason = f"{use}: {package.name} is right, or nearly so"
        elif saving >= 0:
            way = "up" if final[number] > people.package[number] else "down"
            reason = f"{use}: {way} to {package.name} saves {saving:.2f} a month"
        else:
            reason = (
                f"{use}: the present package leaves less than {rules.margin_floor_pct:g} % margin"
            )
        if not allowed[number].any():
            reason += "; no package leaves the margin asked for, this one leaves most"
        told.append(reason)
    return told
