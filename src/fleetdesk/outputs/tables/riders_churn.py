"""The sheets about churn: risk bands and actions, how well it is foretold, why, and for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.tables.frames import (
    blanked,
    hidden_note,
    large_enough,
    listed,
    rows_of,
    too_few,
    without_small,
)
from fleetdesk.outputs.tables.riders import (
    COUNT,
    FINE,
    MONEY,
    NOT_ASKED,
    NUMBER,
    PERCENT,
    TEXT,
    WRAPPED,
    column,
    number,
    sheet,
    words,
)  # fmt: skip
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet, Value

if TYPE_CHECKING:
    import pandas as pd

    from fleetdesk.riders.bias import GroupAudit
    from fleetdesk.riders.churn import ChurnFit
    from fleetdesk.riders.churn_actions import ProfitPoint
    from fleetdesk.riders.classify import AtLimit


@dataclass(frozen=True)
class ChurnTold:
    """What is shown: `riders` have chance, value, band, action, gain, act and reason."""

    riders: pd.DataFrame
    fit: ChurnFit
    profit: tuple[ProfitPoint, ...]
    audit: tuple[GroupAudit, ...]
    note: str


def churn_sheets(told: ChurnTold | None, settings: Settings) -> tuple[ResultSheet, ...]:
    """Risk, risk by package, profit, quality, calibration, drivers, audit, riders. None = not
    asked.
    """
    return (
        _bands(told, settings),
        _by_package(told, settings),
        _profit(told, settings),
        _quality(told, settings),
        _calibration(told, settings),
        _drivers(told, settings),
        _audit(told, settings),
        _by_rider(told, settings),
    )


def _bands(told: ChurnTold | None, settings: Settings) -> ResultSheet:
    import pandas as pd

    from fleetdesk.riders.churn_actions import actions

    rows: list[tuple[Value, ...]] = []
    limits = settings.churn
    ranges = (
        f"{limits.high_risk_pct:g} % and more",
        f"{limits.medium_risk_pct:g} to {limits.high_risk_pct:g} %",
        f"below {limits.medium_risk_pct:g} %",
    )
    if told is not None:
        for action, span in zip(actions(limits), ranges, strict=True):
            mine = told.riders[told.riders["band"] == action.band]
            paying = mine[mine["act"]]
            rows.append(
                (
                    action.band, span, len(mine), number(mine["chance"].sum(), 1),
                    number((mine["chance"] * mine["value"]).sum(), 2), action.what,
                    len(paying), number(action.cost * len(paying), 2),
                    number(paying["gain"].sum(), 2),
                )
            )  # fmt: skip
        names = (
            "band", "span", "riders", "leave", "at_risk", "what", "paying", "cost", "gain",
        )  # fmt: skip
        table = pd.DataFrame(rows, columns=names)
        acted = ("paying", "cost", "gain")
        table = blanked(table, too_few(table["paying"], settings), acted)
        table = without_small(table, "riders", ("leave", "at_risk", *acted), settings)
        rows = rows_of(table, names)
    money = settings.city.currency
    return sheet(
        "Churn risk", f"Who leaves within {limits.horizon_days} days, and what is done about it",
        told.note if told else NOT_ASKED,
        (
            column("Risk", TEXT, 10), column("Chance to leave", TEXT, 18),
            column("Riders", COUNT, 9, "Empty = too few to show."), column("Expected to leave"),
            column(f"Value at risk ({money})", MONEY, 14, "Chance x lifetime value."),
            column("Action", WRAPPED, 44),
            column("Riders for whom it pays", COUNT, 12, "Chance x share kept x value > cost."),
            column(f"It costs ({money})", MONEY, 12),
            column(f"Expected gain ({money})", MONEY, 14, "After its cost."),
        ),
        rows, settings, key="Risk",
        charts=(
            Chart(
                ChartKind.COLUMN, "Riders by risk", "Risk", "Riders", "", "Risk",
                (Series("Riders", palette().alert),),
            ),
        ),
    )  # fmt: skip


def _by_package(told: ChurnTold | None, settings: Settings) -> ResultSheet:
    rows = []
    if told is not None:
        named = told.riders.assign(
            package=told.riders["package"].fillna("pays per trip"),
            risk=100.0 * told.riders["chance"],
            at_risk=told.riders["chance"] * told.riders["value"],
        )
        table = named.groupby("package").agg(
            riders=("chance", "size"), risk=("risk", "mean"), leave=("chance", "sum"),
            at_risk=("at_risk", "sum"),
        ).reset_index()  # fmt: skip
        figures = ("risk", "leave", "at_risk")
        table = without_small(table, "riders", figures, settings)
        rows = rows_of(table, ("package", "riders", *figures))
    name, risk = "Package", "Mean chance to leave (%)"
    return sheet(
        "Churn by package", "Which packages riders leave",
        f"Within {settings.churn.horizon_days} days." if told else NOT_ASKED,
        (
            column(name, TEXT, 20), column("Riders", COUNT, 9, "Empty = too few to show."),
            column(risk, PERCENT), column("Expected to leave"),
            column(f"Value at risk ({settings.city.currency})", MONEY, 14),
        ),
        rows, settings, key=name,
        charts=(
            Chart(
                ChartKind.BAR, risk, name, "Chance to leave", "%", name,
                (Series(risk, palette().category(0)),),
            ),
        ),
    )  # fmt: skip


def _profit(told: ChurnTold | None, settings: Settings) -> ResultSheet:
    least = settings.riders.smallest_group
    points = _apart(told.profit if told else (), least)
    best = max(points, key=lambda point: point.profit, default=None)
    rows = [
        (
            number(p.share_pct, 1), p.riders, number(p.lowest_chance_pct, 1), number(p.profit, 2),
            number(p.profit_at_random, 2),
        )
        for p in points
    ]  # fmt: skip
    money = settings.city.currency
    share, profit = "Riskiest riders acted on (%)", f"Profit ({money})"
    random = f"At random ({money})"
    note = NOT_ASKED
    if best is not None and points[-1].riders:
        note = (
            f"On riders held out: best at {best.share_pct:g} %, {best.profit:,.2f} {money}. It "
            "rests on the shares kept that the sheet Churn gives."
        )
    elif told is not None:
        note = "No riders were held out to try it on."
    return sheet(
        "Churn profit", "How many riders to act on", note,
        (
            column(share, PERCENT, 14), column("Riders", COUNT, 9),
            column("Lowest chance (%)", PERCENT), column(profit, MONEY, 14),
            column(random, MONEY, 14),
        ),
        rows, settings, key=share,
        charts=(
            Chart(
                ChartKind.LINE, "Profit curve", share, "Profit", money, share,
                (Series(profit, palette().category(0), "By risk"),
                 Series(random, palette().quiet, "At random")),
            ),
        ),
    )  # fmt: skip


def _apart(points: Sequence[ProfitPoint], least: int) -> list[ProfitPoint]:
    """The points, as far apart that no two tell of fewer riders between them; none = all."""
    kept: list[ProfitPoint] = []
    for point in points:
        more = point.riders - (kept[-1].riders if kept else 0)
        rest = points[-1].riders - point.riders
        first = not kept and not point.riders
        if first or (more >= least and (rest == 0 or rest >= least)):
            kept.append(point)
    return kept


def _quality(told: ChurnTold | None, settings: Settings) -> ResultSheet:
    rows: list[tuple[Value, ...]] = []
    for kind, q in (told.fit.quality if told else {}).items():
        for at in q.limits:
            rows.append(
                (
                    kind, q.riders, number(100 * q.share, 1),
                    number(q.auc.value if q.auc else None), number(q.auc.low if q.auc else None),
                    number(q.auc.high if q.auc else None), number(q.brier.value),
                    number(q.brier.low), number(q.brier.high), number(q.ece), at.limit_pct,
                    *_called(at, settings),
                )
            )  # fmt: skip
    return sheet(
        "Churn model", "How well leaving is foretold",
        told.fit.note.capitalize() + "." if told else NOT_ASKED,
        (
            column("Model", TEXT, 20), column("Riders held out", COUNT, 10),
            column("Left (%)", PERCENT), column("AUC", FINE, 10, "0.5 = no better than chance."),
            column("AUC, low", FINE, 10, "90 % interval."), column("AUC, high", FINE, 10),
            column("Brier", FINE, 10, "Mean squared error of the chance; less is better."),
            column("Brier, low", FINE, 10), column("Brier, high", FINE, 10),
            column("ECE", FINE, 10, "How far chances are from what came; less is better."),
            column("Called from (%)", PERCENT),
            column("Called", COUNT, 9, "Empty = too few to show."), column("Precision"),
            column("Recall"), column("F1"),
        ),
        rows, settings,
    )  # fmt: skip


def _called(at: AtLimit, settings: Settings) -> tuple[Value, ...]:
    if 0 < at.called < settings.riders.smallest_group:
        return (None,) * 4
    return at.called, number(at.precision), number(at.recall), number(at.f1)


def _calibration(told: ChurnTold | None, settings: Settings) -> ResultSheet:
    rows: list[tuple[Value, ...]] = []
    if told is not None:
        tried = told.fit.quality.get(told.fit.model.kind)
        tenths = tried.calibration if tried else ()
        counts = [riders for _, _, riders in tenths]
        rows = [
            (number(100 * mean, 1), number(100 * share, 1), riders)
            for mean, share, riders in large_enough(tenths, counts, sum(counts), settings)
        ]
    chance, came, even = "Foretold (%)", "Left (%)", "If it were right"
    rows = [(*row, row[0]) for row in rows]
    return sheet(
        "Churn calibration", "Whether chances mean what they say",
        "Riders held out, by tenths of the chance." if told else NOT_ASKED,
        (
            column(chance, PERCENT), column(came, PERCENT), column("Riders", COUNT),
            column(even, PERCENT),
        ),
        rows, settings,
        charts=(
            Chart(
                ChartKind.LINE, "Foretold and came", chance, "Left", "%", chance,
                (Series(came, palette().category(0)), Series(even, palette().quiet)),
            ),
        ),
    )  # fmt: skip


def _drivers(told: ChurnTold | None, settings: Settings) -> ResultSheet:
    more = {1: "more of it: leave more", -1: "more of it: leave less", 0: "either way"}
    drivers = [d for d in (told.fit.drivers if told else ()) if d.auc_lost > 0.0005][:15]
    rows = [(words(d.column), number(d.auc_lost), more[d.direction]) for d in drivers]
    name, lost = "What is known of a rider", "AUC lost without it"
    return sheet(
        "Churn drivers", "What tells that riders will leave",
        "What goes with leaving is not always its cause." if told else NOT_ASKED,
        (column(name, TEXT, 30), column(lost, FINE), column("Direction", TEXT, 26)),
        rows, settings, key=name,
        charts=(
            Chart(
                ChartKind.BAR, "What counts most", name, lost, "", name,
                (Series(lost, palette().category(2)),),
            ),
        ),
    )  # fmt: skip


def _audit(told: ChurnTold | None, settings: Settings) -> ResultSheet:
    counts = [a.riders for a in told.audit] if told else []
    groups = large_enough(told.audit, counts, len(told.fit.held_out), settings) if told else []
    rows = [
        (
            a.group, a.riders, number(a.left_pct, 1), number(a.foretold_pct, 1),
            number(a.gap_pct, 1), number(a.gap_low_pct, 1), number(a.gap_high_pct, 1),
            number(a.called_pct, 1), number(a.missed_pct, 1), "yes" if a.flagged else "",
        )
        for a in groups
    ]  # fmt: skip
    note = NOT_ASKED
    if told:
        flagged = [a.group for a in groups if a.flagged]
        note = f"Look into: {', '.join(flagged)}." if flagged else "No group stands out."
        note = note if groups else "There are no two groups to compare."
    return sheet(
        "Bias audit", "Whether age groups are foretold alike", note,
        (
            column("Age group", TEXT, 14), column("Riders", COUNT), column("Left (%)", PERCENT),
            column("Foretold (%)", PERCENT),
            column("Gap to others (%)", NUMBER, 12, "Foretold too high is above zero."),
            column("Gap, low (%)", help_="90 % interval."), column("Gap, high (%)"),
            column("Called at high risk (%)", PERCENT),
            column("Left and not called (%)", PERCENT), column("To look into", TEXT),
        ),
        rows, settings, key="Age group",
    )  # fmt: skip


def _by_rider(told: ChurnTold | None, settings: Settings) -> ResultSheet:
    rows, note = [], NOT_ASKED
    if told is not None:
        note = hidden_note(settings) or "Riders who agreed to be listed, the largest gain first."
        table = listed(told.riders, settings).sort_values(
            ["gain", "rider_id"], ascending=[False, True]
        )
        table = table.assign(
            risk=(100.0 * table["chance"]).round(1), acts=table["act"].map({True: "yes", False: ""})
        )
        shown = (
            "rider_id", "package", "risk", "band", "value", "action", "gain", "acts", "reason",
        )  # fmt: skip
        rows = rows_of(table, shown)
    money = settings.city.currency
    return sheet(
        "Churn by rider", "Who is about to leave", note,
        (
            column("Rider", TEXT, 18), column("Package", TEXT, 18),
            column("Chance to leave (%)", PERCENT), column("Risk", TEXT, 10),
            column(f"Value ({money})", MONEY), column("Action", WRAPPED, 36),
            column(f"Expected gain ({money})", MONEY), column("It pays", TEXT, 9),
            column("Why", WRAPPED, 40, "What raises the chance most against the middle rider."),
        ),
        rows, settings, key="Rider",
    )  # fmt: skip
