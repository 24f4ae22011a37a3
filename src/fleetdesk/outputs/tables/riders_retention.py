"""The sheets about retention: curves, when riders leave, the groups, and what makes them leave."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.tables.frames import large_enough
from fleetdesk.outputs.tables.riders import (
    COUNT,
    NOT_ASKED,
    NUMBER,
    PERCENT,
    TEXT,
    column,
    number,
    sheet,
)  # fmt: skip
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultColumn, ResultSheet, Value

if TYPE_CHECKING:
    from fleetdesk.riders.lifetimes import Lifetimes
    from fleetdesk.riders.matrix import Floats
    from fleetdesk.riders.retention import RetentionResult
    from fleetdesk.riders.staying import Curve

_MONTH = "Month"


def retention_sheets(
    told: RetentionResult | None, lifetimes: Lifetimes | None, settings: Settings
) -> tuple[ResultSheet, ...]:
    """Curves, hazard, groups, factors. None = not asked; groups are large enough to be shown."""
    curves = _shown(told, settings)
    return (
        _curves(told, curves, settings),
        _hazard(curves, settings),
        _groups(told, curves, settings),
        _factors(told, lifetimes, settings),
    )


def _shown(told: RetentionResult | None, settings: Settings) -> list[Curve]:
    if told is None or told.overall.stays < settings.riders.smallest_group:
        return []
    stays = [curve.stays for curve in told.groups]
    return [told.overall, *large_enough(told.groups, stays, told.overall.stays, settings)]


def _curves(told: RetentionResult | None, curves: list[Curve], settings: Settings) -> ResultSheet:
    rows: list[tuple[Value, ...]] = []
    if curves:
        whole = curves[0]
        for place, month in enumerate(whole.months):
            rows.append(
                (
                    int(month), number(100 * whole.survival[place], 1),
                    number(100 * whole.low[place], 1), number(100 * whole.high[place], 1),
                    *(_at(100 * curve.survival, place) for curve in curves[1:]),
                )
            )  # fmt: skip
    columns = [
        column(_MONTH, COUNT, 9), column("All (%)", PERCENT),
        column("All, low (%)", PERCENT, 12, "95 % interval."), column("All, high (%)", PERCENT),
        *_group_columns(curves),
    ]  # fmt: skip
    note = NOT_ASKED
    if told is not None:
        rank = told.log_rank_p
        note = told.note or "Share of stays in a package still running, by months since the start."
        if rank is not None:
            differ = "differ" if rank < 0.05 else "may differ by chance"
            note += f" The packages {differ} (log-rank p = {rank:.3g})."
    return sheet(
        "Retention curves", "How long riders stay in a package", note, columns, rows, settings,
        key=_MONTH,
        charts=(
            Chart(
                ChartKind.STEP, "Riders still there", _MONTH, "Still there", "%", _MONTH,
                (Series("All (%)", palette().ink, "All"), *_series(curves)),
            ),
        ),
    )  # fmt: skip


def _hazard(curves: list[Curve], settings: Settings) -> ResultSheet:
    rows: list[tuple[Value, ...]] = []
    if curves:
        whole = curves[0]
        low, high = whole.hazard_interval
        for place, month in enumerate(whole.months):
            rows.append(
                (
                    int(month), _at(100 * whole.hazard, place, 2), _at(100 * low, place, 2),
                    _at(100 * high, place, 2),
                    *(_at(100 * curve.hazard, place, 2) for curve in curves[1:]),
                )
            )  # fmt: skip
    return sheet(
        "Retention hazard", "When riders leave", _when(curves),
        [
            column(_MONTH, COUNT, 9), column("All (%)", PERCENT),
            column("All, low (%)", PERCENT, 12, "95 % interval."), column("All, high (%)", PERCENT),
            *_group_columns(curves),
        ],
        rows, settings, key=_MONTH,
        charts=(
            Chart(
                ChartKind.LINE, "Chance to leave within a month", _MONTH, "Chance", "%", _MONTH,
                (Series("All (%)", palette().ink, "All"), *_series(curves)),
            ),
        ),
    )  # fmt: skip


def _when(curves: list[Curve]) -> str:
    """When riders leave fastest, if that is more than luck."""
    if not curves:
        return NOT_ASKED
    whole = curves[0]
    if not whole.ended:
        return "Nobody left."
    mean = f"{100 * whole.mean_hazard:.1f} % a month"
    if whole.peak_month is None:
        return f"No month stands out: riders leave at {mean}, as far as can be told."
    return (
        f"Riders leave fastest around month {whole.peak_month:.0f}, against {mean} all in all. The "
        "survival curve cannot show this."
    )


def _groups(told: RetentionResult | None, curves: list[Curve], settings: Settings) -> ResultSheet:
    rows = [
        (
            curve.group, curve.stays, curve.ended, number(curve.mean_months, 2),
            number(curve.mean_low, 2), number(curve.mean_high, 2),
            number(curve.median_months, 1), number(curve.peak_month, 0),
        )
        for curve in curves
    ]  # fmt: skip
    horizon = f"{curves[0].months[-1]:.0f}" if curves else str(settings.retention.horizon_months)
    mean = f"Mean months of the first {horizon}"
    return sheet(
        "Retention by package", "Where riders stay longest",
        "By the package that a stay began with." if told else NOT_ASKED,
        (
            column("Package", TEXT, 20), column("Stays", COUNT), column("Ended", COUNT),
            column(mean, NUMBER, 14, "Restricted mean."), column("Mean, low", NUMBER, 12, "95 %."),
            column("Mean, high"), column("Half have left by month", help_="Empty = not yet."),
            column("Leave fastest in month", COUNT, 12, "Empty = no month stands out."),
        ),
        rows, settings, key="Package",
        charts=(
            Chart(
                ChartKind.BAR, mean, "Package", "Months", "", "Package",
                (Series(mean, palette().category(0)),),
            ),
        ),
    )  # fmt: skip


def _factors(
    told: RetentionResult | None, lifetimes: Lifetimes | None, settings: Settings
) -> ResultSheet:
    rows: list[tuple[Value, ...]] = []
    effects: dict[str, float] = {}
    if lifetimes is not None:
        pairs = zip(lifetimes.factors, lifetimes.parameters[1:-1], strict=True)
        effects = {name: math.exp(value) for name, value in pairs}
    cox = told.cox if told else None
    for factor in cox.factors if cox else ():
        rows.append(
            (
                factor.name, number(factor.coefficient), number(math.exp(factor.coefficient)),
                number(math.exp(factor.low)), number(math.exp(factor.high)), number(factor.p),
                number(factor.ph_p), number(effects.get(factor.name)),
            )
        )  # fmt: skip
    note = NOT_ASKED
    if told is not None:
        note = told.note or "Too few stays ended to say what makes riders leave."
    if cox is not None:
        held = "" if cox.held_out is None else f", {cox.held_out:.3f} on stays held out"
        note = f"Cox model, concordance {cox.concordance:.3f}{held}. {cox.note}".strip()
        if lifetimes is not None:
            note += f" Time ratios are of a {lifetimes.law} model."
    ratio = "Hazard ratio"
    return sheet(
        "Retention factors", "What makes riders leave sooner or later", note,
        (
            column("Factor", TEXT, 26, "A word is compared with the commonest one."),
            column("Coefficient"), column(ratio, help_="Above 1 = leave sooner."),
            column("Ratio, low", help_="95 % interval."), column("Ratio, high"), column("p"),
            column("p of proportional hazards", NUMBER, 13,
                   "Small = the effect changes with time."),
            column("Time ratio", help_="Above 1 = stay longer, by an AFT model."),
        ),
        rows, settings, key="Factor",
        charts=(
            Chart(
                ChartKind.BAR, ratio, "Factor", ratio, "", "Factor",
                (Series(ratio, palette().category(3)),), "1 = no effect",
            ),
        ),
    )  # fmt: skip


def _group_columns(curves: list[Curve]) -> list[ResultColumn]:
    return [column(f"{curve.group} (%)", PERCENT) for curve in curves[1:]]


def _series(curves: list[Curve]) -> list[Series]:
    return [
        Series(f"{curve.group} (%)", palette().category(place), curve.group)
        for place, curve in enumerate(curves[1:])
    ]


def _at(values: Floats, place: int, digits: int = 1) -> float | None:
    """A value at a place; empty past the group's own end."""
    return number(values[place], digits) if place < len(values) else None
