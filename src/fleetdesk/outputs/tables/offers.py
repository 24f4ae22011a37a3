"""The sheets about offers and changes: margins by segment, other rules, whom offers move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.tables.frames import blanked, rows_of, without_small
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet

if TYPE_CHECKING:
    from fleetdesk.riders.matching import Matched
    from fleetdesk.riders.uplift import ReadOut


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One offer in one segment: made, accepted, margin each with interval, share of the next."""

    segment: str
    arm: str
    made: int
    accepted_pct: float | None
    mean: float
    low: float
    high: float
    next_pct: float


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """What another rule would have earned per offer; `effective` offers of the log speak for it."""

    rule: str
    method: str
    value: float
    low: float
    high: float
    effective: float


@dataclass(frozen=True, slots=True)
class UpliftRow:
    """One offer against none; `best` = share of riders, value per rider, low, high."""

    arm: str
    seen: ReadOut
    qini: float | None
    best: tuple[float, float, float, float] | None


def offer_sheets(
    arms: Sequence[ArmRow], policies: Sequence[PolicyRow], uplift: Sequence[UpliftRow],
    settings: Settings,
) -> tuple[ResultSheet, ...]:  # fmt: skip
    """What offers bring, what other rules would have brought, and whom offers move."""
    return (_arms(arms, settings), _policies(policies, settings), _uplift(uplift, settings))


def effect_sheets(found: Matched | None, what: str, settings: Settings) -> tuple[ResultSheet, ...]:
    """What taking a package did, by method, and how alike the compared riders are."""
    return _effects(found, what, settings), _balance(found)


def _arms(arms: Sequence[ArmRow], settings: Settings) -> ResultSheet:
    money = settings.city.currency
    import pandas as pd

    tests = settings.offer_tests
    figures = ("accepted_pct", "mean", "low", "high")
    names = ("name", "segment", "arm", "made", *figures, "next_pct")
    told = [asdict(row) | {"name": f"{row.segment}: {row.arm}"} for row in arms]
    table = pd.DataFrame(told, columns=names)
    # Of an offer that was never made there is a belief, but no margin that it brought.
    table = blanked(table, table["made"] == 0, figures)
    table = without_small(table, "made", figures, settings)
    mean = f"Margin each ({money})"
    return ResultSheet(
        sheet="Offers tested",
        title=f"What offers bring: {settings.city.name}",
        note=(
            f"Margin in the {tests.value_days} days after, less the cost of the offer; old answers "
            f"fade by half in {tests.half_life_days:g} days. Draw the next offers by the last "
            "column and log it as their propensity."
        ),
        table_name="OffersTested",
        columns=(
            ResultColumn("Segment and offer", CellStyle.TEXT, 30),
            ResultColumn("Segment", CellStyle.TEXT, 18),
            ResultColumn("Offer", CellStyle.TEXT, 22),
            ResultColumn("Made", CellStyle.INTEGER, 8, "Empty = too few to show."),
            ResultColumn("Accepted (%)", CellStyle.PERCENT, 10, "Empty = too few, or not told."),
            ResultColumn(mean, CellStyle.MONEY, 12),
            ResultColumn("From", CellStyle.MONEY, 10),
            ResultColumn("To", CellStyle.MONEY, 10),
            ResultColumn("Of the next (%)", CellStyle.PERCENT, 10, "Thompson sampling on value."),
        ),
        rows=rows_of(table, names),
        key="Segment and offer",
        charts=(
            Chart(
                ChartKind.BAR, "What offers bring", "Segment and offer", "Margin each", money,
                "Segment and offer", (Series(mean, palette().category(0)),),
            ),
        ),
    )  # fmt: skip


def _policies(policies: Sequence[PolicyRow], settings: Settings) -> ResultSheet:
    money = settings.city.currency
    return ResultSheet(
        sheet="Offer rules",
        title="What other ways of choosing would have earned",
        note="Judged on the log by the chances with which offers were drawn; needs propensities.",
        table_name="OfferRules",
        columns=(
            ResultColumn("Rule", CellStyle.TEXT, 28),
            ResultColumn("Judged by", CellStyle.TEXT, 18),
            ResultColumn(f"Margin each ({money})", CellStyle.MONEY, 12),
            ResultColumn("From", CellStyle.MONEY, 10),
            ResultColumn("To", CellStyle.MONEY, 10),
            ResultColumn("Offers that speak for it", CellStyle.INTEGER, 12, "Effective number."),
        ),
        rows=[
            (row.rule, row.method, row.value, row.low, row.high, round(row.effective))
            for row in policies
        ],
    )


def _uplift(uplift: Sequence[UpliftRow], settings: Settings) -> ResultSheet:
    money = settings.city.currency
    nothing = (None, None, None, None)
    return ResultSheet(
        sheet="Offer tests read",
        title="Each offer against none",
        note="Trust it where riders without an offer were drawn at random.",
        table_name="OfferTestsRead",
        columns=(
            ResultColumn("Offer", CellStyle.TEXT, 24),
            ResultColumn("With it", CellStyle.INTEGER, 9),
            ResultColumn("Without", CellStyle.INTEGER, 9),
            ResultColumn(f"Difference ({money})", CellStyle.MONEY, 11, "Margin per rider."),
            ResultColumn("From", CellStyle.MONEY, 10, "95 %."),
            ResultColumn("To", CellStyle.MONEY, 10),
            ResultColumn("p", CellStyle.DECIMAL, 9),
            ResultColumn(f"Could be seen ({money})", CellStyle.MONEY, 12,
                         "Smallest difference that four of five such tests find."),
            ResultColumn("Power (%)", CellStyle.PERCENT, 9, "To find the difference seen."),
            ResultColumn("Qini", CellStyle.DECIMAL, 8, "1 = perfect ranking, 0 = by chance."),
            ResultColumn("Best share (%)", CellStyle.PERCENT, 9, "Of riders, most moved first."),
            ResultColumn(f"Value then ({money})", CellStyle.MONEY, 11, "Per rider of all."),
            ResultColumn("Value from", CellStyle.MONEY, 10),
            ResultColumn("Value to", CellStyle.MONEY, 10),
        ),
        rows=[
            (row.arm, row.seen.treated, row.seen.control, row.seen.difference, row.seen.low,
             row.seen.high, row.seen.p_value, row.seen.detectable, row.seen.power_pct, row.qini,
             *(row.best or nothing))
            for row in uplift
        ],
        key="Offer",
    )  # fmt: skip


def _effects(found: Matched | None, what: str, settings: Settings) -> ResultSheet:
    money = settings.city.currency
    return ResultSheet(
        sheet="Package effect",
        title="What taking a package does to what riders pay",
        note=(
            f"{found.treated} riders {what}, {found.control} did not; "
            f"{found.trimmed_treated} and {found.trimmed_control} without counterparts left out. "
            f"Largest difference left: {found.worst:.3f} standard deviations. {_goes_by(found)}"
            if found
            else "Not asked yet."
        ),
        table_name="PackageEffect",
        columns=(
            ResultColumn("Method", CellStyle.TEXT, 26),
            ResultColumn(f"Difference ({money})", CellStyle.MONEY, 12, "Per rider who took one."),
            ResultColumn("From", CellStyle.MONEY, 10),
            ResultColumn("To", CellStyle.MONEY, 10),
        ),
        rows=[(e.method, e.value, e.low, e.high) for e in (found.effects if found else ())],
        key="Method",
    )


def _goes_by(found: Matched) -> str:
    """Which of the methods to believe, and what the best one lacks."""
    if found.smaller_arm >= found.needs:
        return "Go by the last row; the plain difference compares riders who are not alike."
    return (
        f"Go by entropy balancing: AIPW needs {found.needs} riders who did and as many who did "
        f"not, {found.needs - found.smaller_arm} more than there are, and is left out."
    )


def _balance(found: Matched | None) -> ResultSheet:
    columns = ("covariate", "before", "matched", "weighted")
    colours = palette()
    return ResultSheet(
        sheet="Package effect balance",
        title="How alike the compared riders are",
        note="Differences in standard deviations, taken riders less others; below 0.1 is alike.",
        table_name="PackageEffectBalance",
        columns=(
            ResultColumn("Habit", CellStyle.TEXT, 24),
            ResultColumn("Before", CellStyle.DECIMAL, 10),
            ResultColumn("Nearest neighbour", CellStyle.DECIMAL, 11),
            ResultColumn("Weighted", CellStyle.DECIMAL, 10, "By entropy balancing."),
        ),
        rows=rows_of(found.balance, columns) if found else [],
        key="Habit",
        charts=(
            Chart(
                ChartKind.BAR, "How alike the compared riders are", "Habit", "Difference", "SD",
                "Habit",
                (Series("Before", colours.quiet), Series("Weighted", colours.category(0))),
            ),
        ),
    )  # fmt: skip
