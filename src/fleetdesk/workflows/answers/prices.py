"""What a package may cost: how riders answer to prices, the best one and the dynamic one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleetdesk.outputs.tables.prices import PackagePrices, price_sheets
from fleetdesk.settings.schema import Package, Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask

if TYPE_CHECKING:
    from fleetdesk.riders.elasticity import Elasticity
    from fleetdesk.riders.pricing import PriceRules


def answer(ask: Ask) -> Answer:
    """Learn from months in which prices changed; where none did, say so and price by factors."""
    from fleetdesk.errors import NotEnoughData
    from fleetdesk.riders.elasticity import by_segment, double_ml, fixed_effects
    from fleetdesk.riders.packages import on_offer
    from fleetdesk.workflows.price_data import package_months

    settings = ask.settings
    packages = on_offer(settings.packages)
    sales = package_months(ask.record)
    interval = settings.usage.interval_pct
    found: dict[str, Elasticity] = {}
    note = (
        f"Package months by the price most riders paid; effects of package and month taken out; "
        f"the interval holds {interval:g} %."
    )
    try:
        found["all packages"] = fixed_effects(
            sales, effects=("package", "month"), cluster="package", interval_pct=interval
        )
        sales = sales.assign(season=sales["month"].dt.month)
        found["all packages, double ML"] = double_ml(
            sales, covariates=("package", "season"), cluster="package", interval_pct=interval,
            seed=settings.city.seed,
        )  # fmt: skip
        found |= by_segment(sales, "package", interval_pct=interval)
    except NotEnoughData as lack:
        note = f"{lack} Until then prices move by the factors of the sheet Pricing only."
    prices = _prices(ask, packages, found)
    moved = sum(entry.dynamic.price != entry.today for entry in prices)
    return Answer(
        sheets=price_sheets(found, prices, note, settings),
        headline=(
            f"Prices: elasticity {found['all packages'].value:.2f}, "
            if found
            else "Prices: nobody can tell yet how riders answer; "
        )
        + f"{moved} of {len(prices)} dynamic prices differ from the list.",
    )


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return price_sheets({}, (), "Not asked yet.", settings)


def _prices(
    ask: Ask, packages: tuple[Package, ...], found: dict[str, Elasticity]
) -> list[PackagePrices]:
    from fleetdesk.riders.pricing import Situation, best_price, dynamic_price
    from fleetdesk.workflows.price_data import demand_pct
    from fleetdesk.workflows.rider_data import in_season, riders_of

    settings = ask.settings
    riders = riders_of(ask.record, settings)
    rules = price_rules(settings)
    usage = riders.usage(settings)
    demand = demand_pct(ask.record, settings)
    off_peak = not in_season(ask.record.moment.as_of, settings)
    rows = []
    for package in packages:
        who = (riders.now["package"] == package.name).to_numpy()
        km, swaps = usage.km[who], usage.swaps[who]
        enough = int(who.sum()) >= settings.riders.smallest_group
        cost = _unit_cost(km, swaps, settings) if enough else None
        used = (
            100.0 * float(km.mean()) / package.included_km
            if enough and package.included_km
            else None
        )
        tenure = float(riders.now.loc[who, "tenure_months"].median()) if enough else None
        elasticity = found.get(package.name, found.get("all packages"))
        rows.append(
            PackagePrices(
                package.name, package.floor_price, package.monthly_price, cost,
                best_price(package.monthly_price, cost, package.floor_price, elasticity, rules)
                if elasticity and cost is not None else None,
                dynamic_price(
                    package.monthly_price, package.floor_price,
                    Situation(demand, off_peak, tenure, used), rules,
                ),
            )
        )  # fmt: skip
    return rows


def price_rules(settings: Settings) -> PriceRules:
    """The bounds and factors of the sheets Pricing and Package advice."""
    from fleetdesk.riders.pricing import PriceRules

    p = settings.pricing
    return PriceRules(
        p.cap_pct, p.rate_limit_pct, settings.package_advice.discount_cap_pct, p.demand_above_pct,
        p.demand_factor_pct, p.off_peak_factor_pct, p.tenure_above_months, p.tenure_factor_pct,
        p.utilisation_above_pct, p.utilisation_factor_pct,
    )  # fmt: skip


def _unit_cost(km: Any, swaps: Any, settings: Settings) -> float:
    """What a rider costs a month, as a gross price: tax and fee come off prices, not off costs."""
    costs = settings.costs
    kept = 1.0 / (1.0 + costs.vat_pct / 100.0) - costs.payment_fee_pct / 100.0
    spent = float(km.mean()) * settings.package_advice.cost_per_km
    return (spent + float(swaps.mean()) * costs.swap_cost) / kept
