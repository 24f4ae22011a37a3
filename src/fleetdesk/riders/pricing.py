"""What a package may cost: the price that earns most, and the guide's factors, each accounted for.

A price leaves here only between its floor and its cap, and no farther from today's than the sheet
allows.
"""

from __future__ import annotations

from dataclasses import dataclass

from fleetdesk.riders.elasticity import Elasticity


@dataclass(frozen=True, slots=True)
class PriceRules:
    """Bounds of prices and the factors of the guide; percent as in the sheet.

    A factor applies above its limit: demand and utilisation in percent, tenure in months.
    """

    cap_pct: float
    rate_limit_pct: float
    discount_cap_pct: float
    demand_above_pct: float
    demand_factor_pct: float
    off_peak_factor_pct: float
    tenure_above_months: float
    tenure_factor_pct: float
    utilisation_above_pct: float
    utilisation_factor_pct: float


@dataclass(frozen=True, slots=True)
class PriceStep:
    """One line of the account of a price: why it moved, by how much, and what it then was."""

    reason: str
    change_pct: float
    price: float


@dataclass(frozen=True)
class Price:
    """A price with the account of how it came about."""

    price: float
    steps: tuple[PriceStep, ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """What the guide's factors look at; None = not known, so its factor does not apply."""

    demand_pct: float | None = None
    off_peak: bool = False
    tenure_months: float | None = None
    utilisation_pct: float | None = None


def dynamic_price(base: float, floor: float, now: Situation, rules: PriceRules) -> Price:
    """The guide's dynamic price, factor by factor, with floor, cap and discount limit at the end.

    `floor` is the package's own; the cap is `cap_pct` above the base price and discounts stop at
    `discount_cap_pct` below it.
    """
    steps = [PriceStep("list price", 0.0, base)]
    for applies, reason, change in _factors(now, rules):
        if applies and change:
            steps.append(PriceStep(reason, change, steps[-1].price * (1 + change / 100.0)))
    return _held(steps, base, floor, rules)


def best_price(
    today: float, unit_cost: float, floor: float, elasticity: Elasticity, rules: PriceRules
) -> Price:
    """The price with the highest margin under constant elasticity, held to the sheet's limits.

    The Lerner rule: cost x e / (1 + e). Where all of the interval is above -1 no price is the best,
    so it goes up by the rate limit; where the interval holds -1 it stays.
    """
    steps = [PriceStep("today's price", 0.0, today)]
    if elasticity.elastic is None:
        return Price(today, (*steps, PriceStep("interval of the elasticity holds -1", 0.0, today)))
    if elasticity.elastic:
        wanted = unit_cost * elasticity.value / (1 + elasticity.value)
        reason = f"most margin at elasticity {elasticity.value:.2f} and cost {unit_cost:.2f}"
    else:
        wanted = today * (1 + rules.rate_limit_pct / 100.0)
        reason = f"demand hardly answers (elasticity {elasticity.value:.2f}): up by the rate limit"
    steps.append(PriceStep(reason, _pct(wanted, today), wanted))
    low = today * (1 - rules.rate_limit_pct / 100.0)
    high = today * (1 + rules.rate_limit_pct / 100.0)
    held = min(max(wanted, low), high)
    if held != wanted:
        steps.append(
            PriceStep(f"at most {rules.rate_limit_pct:g} % a step", _pct(held, wanted), held)
        )
    return _held(steps, today, floor, rules)


def _factors(now: Situation, rules: PriceRules) -> list[tuple[bool, str, float]]:
    def above(value: float | None, limit: float) -> bool:
        return value is not None and value > limit

    return [
        (above(now.demand_pct, rules.demand_above_pct),
         f"demand above {rules.demand_above_pct:g} % of its height", rules.demand_factor_pct),
        (now.off_peak, "off-peak", rules.off_peak_factor_pct),
        (above(now.tenure_months, rules.tenure_above_months),
         f"with us over {rules.tenure_above_months:g} months", rules.tenure_factor_pct),
        (above(now.utilisation_pct, rules.utilisation_above_pct),
         f"uses over {rules.utilisation_above_pct:g} % of the package",
         rules.utilisation_factor_pct),
    ]  # fmt: skip


def _held(steps: list[PriceStep], base: float, floor: float, rules: PriceRules) -> Price:
    bounds = (
        ("discount limit", base * (1 - rules.discount_cap_pct / 100.0), max),
        ("cap", base * (1 + rules.cap_pct / 100.0), min),
        ("price floor", floor, max),
    )
    for reason, bound, keep in bounds:
        before = steps[-1].price
        held = keep(before, bound)
        if held != before:
            steps.append(PriceStep(reason, _pct(held, before), held))
    final = round(steps[-1].price, 2)
    # A cent lost by rounding must not undercut the floor.
    return Price(max(final, floor), tuple(steps))


def _pct(new: float, old: float) -> float:
    return 100.0 * (new / old - 1) if old else 0.0
