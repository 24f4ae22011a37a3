"""The sheets about usage, packages, prices, offers, services, batteries and what to do next."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from fleetdesk.settings import sheet as base

setting = partial(base.setting, since=3)


class PackageSheet(base.Sheet):
    """What these sheets share."""

    since: ClassVar[int] = 3


class Usage(PackageSheet):
    """How usage is foretold."""

    sheet: ClassVar[str] = "Usage"
    intro: ClassVar[str] = "How far each rider will ride: how far ahead, and learnt from how much."

    horizon_days: int = setting(
        30, "Looks ahead", "Usage of so many days is foretold, from months of as many days.",
        unit="days", ge=7, le=90,
    )  # fmt: skip
    months_back: int = setting(
        8, "Months learnt from", "At most; more take longer.", unit="months", ge=2, le=36
    )
    interval_pct: float = setting(
        90, "Intervals hold", "Share of cases that an interval shall hold; of all these sheets.",
        unit="%", ge=50, le=99,
    )  # fmt: skip
    unknown_swing_pct: float = setting(
        50, "Swing while unknown",
        "Until two months can be scored, usage is taken to lie within so much of last month's.",
        unit="%", ge=0, le=100,
    )  # fmt: skip


class PackageAdvice(PackageSheet):
    """How packages are advised, and what riders do when packages change."""

    sheet: ClassVar[str] = "Package advice"
    intro: ClassVar[str] = "Buffers and bounds of advice, and how riders answer to other packages."

    growth_pct: float = setting(
        20, "Buffer for growth", "The rule adds it to the usage foretold.", unit="%", ge=0, le=200
    )
    season_pct: float = setting(
        30, "Buffer in season", "The rule adds it in the months below.", unit="%", ge=0, le=200
    )
    season_from_month: int = setting(
        6, "Season from month", "First month of the high season.", ge=1, le=12
    )
    season_to_month: int = setting(
        9, "Season to month", "Last month of the high season.", ge=1, le=12
    )
    new_pct: float = setting(
        25, "Buffer for new riders", "The rule adds it.", unit="%", ge=0, le=200
    )
    new_months: float = setting(
        3, "New means under", "Months since the sign-up.", unit="months", ge=0, le=24
    )
    keep_months: float = setting(
        6, "No step down before", "Months in the present package.", unit="months", ge=0, le=36
    )
    margin_floor_pct: float = setting(
        10, "Lowest margin", "Of what the rider pays; packages that leave less are not advised.",
        unit="%", ge=-100, le=100,
    )  # fmt: skip
    discount_cap_pct: float = setting(
        20, "Largest discount", "Off the monthly price; the price floor holds too.",
        unit="%", ge=0, le=100,
    )  # fmt: skip
    least_saving: float = setting(
        2, "Saving worth a letter", "A month; below it the present package is called right.",
        unit="money", ge=0, le=1_000_000,
    )  # fmt: skip
    cost_per_km: float = setting(
        0.02, "Cost per km", "Power and wear, for margins.", unit="money/km", ge=0, le=1000
    )
    neighbours: int = setting(
        10, "Similar riders asked", "For the advice of neighbours.", unit="riders", ge=1, le=200
    )
    factors: int = setting(
        8, "Hidden factors", "For the advice by matrix factorisation.", ge=1, le=64
    )
    churn_response_pct: float = setting(
        0.5, "Churn when dearer",
        "By how many percent the chance to leave rises when a rider has to pay 1 % more. Measure "
        "it with a test before you trust it.", unit="%", ge=0, le=50,
    )  # fmt: skip
    churn_response_error_pct: float = setting(
        0.3, "Give or take", "How unsure that is; trials show it as their interval.",
        unit="%", ge=0, le=50,
    )  # fmt: skip
    trial_rounds: int = setting(
        200, "Rounds for trials", "How often riders are drawn anew for the intervals of a trial.",
        unit="rounds", ge=20, le=5000,
    )  # fmt: skip


class TrialPackage(PackageSheet):
    """One package as it might be."""

    sheet: ClassVar[str] = "Package trial"
    intro: ClassVar[str] = (
        "What if packages were like this? Name one of the sheet Packages and write only what "
        "changes, or a new name with all of it; nothing here is sold."
    )

    name: str = setting(..., "Package", "Name; a new one is a new package.",
                        min_length=1, max_length=80)  # fmt: skip
    monthly_price: float | None = setting(
        None, "Monthly price", "Empty = as now.", unit="money", ge=0, le=100_000
    )
    included_km: float | None = setting(
        None, "Included km", "Empty = as now.", unit="km", ge=0, le=100_000
    )
    included_swaps: int | None = setting(
        None, "Included swaps", "Empty = as now.", unit="swaps", ge=0, le=10_000
    )
    extra_km_price: float | None = setting(
        None, "Price per extra km", "Empty = as now.", unit="money/km", ge=0, le=1000
    )
    extra_swap_price: float | None = setting(
        None, "Price per extra swap", "Empty = as now.", unit="money", ge=0, le=1000
    )
    on_offer: bool = setting(True, "On offer", "no = what if this package were gone?")


class Pricing(PackageSheet):
    """Bounds and factors of package prices."""

    sheet: ClassVar[str] = "Pricing"
    intro: ClassVar[str] = "How far prices may move, and the factors of the dynamic price."

    rate_limit_pct: float = setting(
        10, "Largest step", "A price moves at most so far at once.", unit="%", ge=0, le=100
    )
    cap_pct: float = setting(
        30, "Highest above list", "A dynamic price is at most so much above the list price.",
        unit="%", ge=0, le=500,
    )  # fmt: skip
    demand_above_pct: float = setting(
        80, "Demand is high above", "Trips of 28 days, of those in the busiest 28 days known.",
        unit="%", ge=0, le=100,
    )  # fmt: skip
    demand_factor_pct: float = setting(
        10, "At high demand", "Added to the price.", unit="%", ge=-100, le=100
    )
    off_peak_factor_pct: float = setting(
        -10, "Outside the season", "The season stands on the sheet Package advice.",
        unit="%", ge=-100, le=100,
    )  # fmt: skip
    tenure_above_months: float = setting(
        12, "Loyal after", "Median months that the riders of a package have been with us.",
        unit="months", ge=0, le=240,
    )  # fmt: skip
    tenure_factor_pct: float = setting(
        -5, "For loyal riders", "Added to the price.", unit="%", ge=-100, le=100
    )
    utilisation_above_pct: float = setting(
        90, "Heavy use above", "Mean km that riders use of those included.",
        unit="%", ge=0, le=1000,
    )  # fmt: skip
    utilisation_factor_pct: float = setting(
        5, "At heavy use", "Added to the price.", unit="%", ge=-100, le=100
    )


class OfferTests(PackageSheet):
    """How offers are tried out."""

    sheet: ClassVar[str] = "Offer tests"
    intro: ClassVar[str] = "How offers are drawn for riders while it is learnt which ones pay."

    value_days: int = setting(
        30, "Value counted for", "Days after an offer whose payments count as its value.",
        unit="days", ge=1, le=365,
    )  # fmt: skip
    half_life_days: float = setting(
        90, "Evidence fades by half in", "Old answers count less.", unit="days", gt=0, le=10_000
    )
    explore_pct: float = setting(
        10, "Drawn at random", "Share of offers drawn evenly, so that all stay comparable.",
        unit="%", ge=0, le=100,
    )  # fmt: skip
    prior_margin: float = setting(
        1, "Margin expected before", "Per offer made, before anything is known.",
        unit="money", ge=-1000, le=100_000,
    )  # fmt: skip
    offer_cost: float = setting(
        0.1, "Cost per offer", "Of making one, taken or not.", unit="money", ge=0, le=10_000
    )


class ServiceSets(PackageSheet):
    """Which services are called a set."""

    sheet: ClassVar[str] = "Service sets"
    intro: ClassVar[str] = "From when on services that go together are shown."

    min_support_pct: float = setting(
        1, "Lowest support", "Share of riders who use all of a set.", unit="%", gt=0, le=100
    )
    min_confidence_pct: float = setting(
        20, "Lowest confidence", "Share of users of the first who use the other too.",
        unit="%", ge=0, le=100,
    )  # fmt: skip
    false_pct: float = setting(
        5, "False rules at most", "Share of the shown rules that may be chance.",
        unit="%", gt=0, le=100,
    )  # fmt: skip


class BatteryPlan(PackageSheet):
    """When batteries are replaced."""

    sheet: ClassVar[str] = "Battery plan"
    intro: ClassVar[str] = "From when a battery counts as worn, and what is in stock."

    worn_below_pct: float = setting(
        80, "Worn below", "Health at which a battery is replaced.", unit="%", gt=0, lt=100
    )
    months: int = setting(
        12, "Months planned", "From the plan's moment.", unit="months", ge=1, le=60
    )
    stock: int = setting(
        0, "Batteries in stock", "New ones, ready to be put in.", unit="batteries", ge=0, le=100_000
    )
    lead_months: int = setting(2, "Delivery takes", "From the order.", unit="months", ge=0, le=24)


class NextBest(PackageSheet):
    """What may be spent on riders, and what winning them costs."""

    sheet: ClassVar[str] = "Next best"
    intro: ClassVar[str] = "What may be spent on actions for riders, and when one is worth it."

    budget: float = setting(
        500, "Budget", "For all actions of the list.", unit="money", ge=0, le=1e9
    )
    least_gain: float = setting(
        1, "Lowest gain", "Actions that bring less are not listed.", unit="money", ge=0, le=1e6
    )
    uplift_error_pct: float = setting(
        50, "Effects may be off by", "Of the effects on the sheet Churn, for the intervals.",
        unit="%", ge=0, le=100,
    )  # fmt: skip
    months: float = setting(
        3, "Months counted", "How long a change of package counts as gain or loss.",
        unit="months", gt=0, le=60,
    )  # fmt: skip
    message_cost: float = setting(
        0.05, "Cost of a message", "Per rider.", unit="money", ge=0, le=1000
    )
    marketing_per_month: float = setting(
        0, "Marketing a month", "What winning riders costs, for CAC; 0 = not known.",
        unit="money/month", ge=0, le=1e9,
    )  # fmt: skip
