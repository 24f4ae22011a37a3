"""The sheets about riders: habits and privacy, segments, churn, retention and lifetime value."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

from fleetdesk.settings import sheet as base

setting = partial(base.setting, since=3)


class RiderSheet(base.Sheet):
    """What these sheets share."""

    since: ClassVar[int] = 3


class Riders(RiderSheet):
    """What counts as peak and night, and who may be shown."""

    sheet: ClassVar[str] = "Riders"
    intro: ClassVar[str] = (
        "What counts as peak and as night, who may be shown, and when models are learnt anew."
    )

    morning_peak_from_h: int = setting(
        7, "Morning peak from", "Hour on the city's clock, weekdays.", unit="h", ge=0, le=23
    )
    morning_peak_to_h: int = setting(
        10, "Morning peak until", "Hour that is no more peak.", unit="h", ge=0, le=24
    )
    evening_peak_from_h: int = setting(
        16, "Evening peak from", "Hour on the city's clock, weekdays.", unit="h", ge=0, le=23
    )
    evening_peak_to_h: int = setting(
        19, "Evening peak until", "Hour that is no more peak.", unit="h", ge=0, le=24
    )
    night_from_h: int = setting(
        22, "Night from", "Hour on the city's clock.", unit="h", ge=12, le=24
    )
    night_to_h: int = setting(
        5, "Night until", "Hour that is no more night.", unit="h", ge=0, le=12
    )
    late_after_days: float = setting(
        1, "Payment is late after", "Days past the due day.", unit="days", ge=0, le=90
    )
    show_rider_ids: bool = setting(
        False, "Show rider ids",
        "no = sheets about single riders are left empty, only groups are shown; yes = riders who "
        "agreed to it are listed by their pseudonym.",
    )  # fmt: skip
    smallest_group: int = setting(
        10, "Smallest group shown",
        "Figures of fewer riders are left out, and so is what would give them away.",
        unit="riders", ge=1, le=1000,
    )  # fmt: skip
    bias_limit_pct: float = setting(
        10, "Largest gap between groups",
        "Age groups whose risk is foretold this much too high or too low against the others are "
        "named in the bias audit.", unit="%", ge=0, le=100,
    )  # fmt: skip
    model_age_days: int = setting(
        30, "Learn anew after", "A kept model older than this is learnt anew.",
        unit="days", ge=1, le=1000,
    )  # fmt: skip
    drift_limit: float = setting(
        0.25, "Learn anew at drift of",
        "Population stability index between the riders a model learnt from and those of today; "
        "0.1 is little, 0.25 much.", ge=0.01, le=10,
    )  # fmt: skip


class Segments(RiderSheet):
    """How riders are grouped by what they do."""

    sheet: ClassVar[str] = "Segments"
    intro: ClassVar[str] = "How riders are grouped by what they do."

    segments: int = setting(
        0, "Segments", "How many; 0 = as many as the records speak for.", ge=0, le=12
    )
    fewest: int = setting(3, "Fewest tried", "When the number is to be found.", ge=2, le=12)
    most: int = setting(6, "Most tried", "When the number is to be found.", ge=2, le=12)
    tier_names: str = setting(
        "Light, Standard, Premium, Enterprise", "Tier names",
        "From the least riding to the most, with commas; more segments get numbers.",
        example="names with commas between them", min_length=1, max_length=300,
    )  # fmt: skip
    sub_segments: int = setting(
        3, "Sub-segments per tier", "Most groups that a tier is cut into; 1 = none.", ge=1, le=8
    )
    stability_rounds: int = setting(
        20, "Rounds for stability",
        "How often riders are drawn anew to see whether the same segments come out.",
        unit="rounds", ge=2, le=500,
    )  # fmt: skip
    unusual_pct: float = setting(
        2, "Unusual at most",
        "No more than this share is called unusual, the farthest from all groups first.",
        unit="%", ge=0, le=20,
    )  # fmt: skip


class Churn(RiderSheet):
    """Who is about to leave, and what is done about it."""

    sheet: ClassVar[str] = "Churn"
    intro: ClassVar[str] = "Who is about to leave, and what is done about it at which risk."

    horizon_days: int = setting(
        30, "Looks ahead", "Leaving = cancelled, or no ride at all, within so many days.",
        unit="days", ge=7, le=90,
    )  # fmt: skip
    model: Literal["best", "random forest", "gradient boosting"] = setting(
        "best", "Model", "best = whichever foretells better on riders it has not seen."
    )
    high_risk_pct: float = setting(60, "High risk from", "Chance to leave.", unit="%", ge=0, le=100)
    medium_risk_pct: float = setting(
        30, "Medium risk from", "Chance to leave.", unit="%", ge=0, le=100
    )
    high_action: str = setting(
        "Personal offer: 20 % discount, free service or loyalty points", "Action at high risk",
        "What is done.", min_length=1, max_length=200,
    )  # fmt: skip
    high_cost: float = setting(
        8, "Cost at high risk", "Per rider.", unit="money", ge=0, le=1_000_000
    )
    high_uplift_pct: float = setting(
        25, "Kept at high risk",
        "Share of the riders who would leave that the action at high risk keeps; measure it with a "
        "test before you trust it.", unit="%", ge=0, le=100,
    )  # fmt: skip
    medium_action: str = setting(
        "Campaign: new features, events, tips for use", "Action at medium risk",
        "What is done.", min_length=1, max_length=200,
    )  # fmt: skip
    medium_cost: float = setting(
        1, "Cost at medium risk", "Per rider.", unit="money", ge=0, le=1_000_000
    )
    medium_uplift_pct: float = setting(
        10, "Kept at medium risk", "As above.", unit="%", ge=0, le=100
    )
    low_action: str = setting(
        "Newsletter and referral programme", "Action at low risk",
        "What is done.", min_length=1, max_length=200,
    )  # fmt: skip
    low_cost: float = setting(
        0.05, "Cost at low risk", "Per rider.", unit="money", ge=0, le=1_000_000
    )
    low_uplift_pct: float = setting(2, "Kept at low risk", "As above.", unit="%", ge=0, le=100)


class Retention(RiderSheet):
    """How long riders stay in a package."""

    sheet: ClassVar[str] = "Retention"
    intro: ClassVar[str] = "How long riders stay in a package, and what makes them leave."

    horizon_months: int = setting(
        24, "Months looked at", "Curves end here, or where the records end.",
        unit="months", ge=3, le=120,
    )  # fmt: skip
    smoothing_months: float = setting(
        1.5, "Smoothing of the hazard", "Bandwidth: larger is smoother and later to see a peak.",
        unit="months", gt=0, le=24,
    )  # fmt: skip
    ph_alpha_pct: float = setting(
        1, "Doubt in proportional hazards below",
        "A factor whose test gives a smaller p value is named: its effect changes with time.",
        unit="%", gt=0, lt=50,
    )  # fmt: skip


class LifetimeValue(RiderSheet):
    """What a rider is worth."""

    sheet: ClassVar[str] = "Lifetime value"
    intro: ClassVar[str] = "What a rider is still worth, discounted to today."

    margin_pct: float = setting(
        40, "Gross margin", "Of what riders pay, before what it costs to win them.",
        unit="%", ge=0, le=100,
    )  # fmt: skip
    discount_pct: float = setting(
        10, "Discount rate", "Of a year: money later is worth less.", unit="%", ge=0, le=100
    )
    horizon_months: int = setting(
        120, "Months counted", "What comes later is left out.", unit="months", ge=1, le=600
    )
    referral_value: float = setting(
        5, "Value of a referral", "Per rider brought in.", unit="money", ge=0, le=1_000_000
    )
    platinum_from: float = setting(
        1000, "Platinum from",
        "Lifetime value. The usual tiers, 100,000, 50,000 and 25,000 rupees, in round euros.",
        unit="money", ge=0, le=1e9,
    )  # fmt: skip
    gold_from: float = setting(500, "Gold from", "Lifetime value.", unit="money", ge=0, le=1e9)
    silver_from: float = setting(250, "Silver from", "Below it is Bronze.", unit="money",
                                 ge=0, le=1e9)  # fmt: skip
