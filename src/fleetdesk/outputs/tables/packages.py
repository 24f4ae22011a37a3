"""The sheets about packages: who is in the wrong one, advice by rider, and what-if."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.tables.frames import (
    blanked,
    hidden_note,
    listed,
    rows_of,
    too_few,
    without_small,
)
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet

if TYPE_CHECKING:
    import pandas as pd

    from fleetdesk.riders.package_trial import Change, Trial

_NOW, _RIDERS, _WRONG, _NONE = "Package", "Riders", "In the wrong one", "pays per trip"
_MOVED = "Riders moved"
_ADVICE = (
    "rider_id", "package", "advised", "km", "swaps", "cost_now", "cost_advised", "saving",
    "margin_now", "margin_advised", "discount_room_pct", "rule", "newsvendor", "neighbours",
    "factors", "reason",
)  # fmt: skip


def package_sheets(
    advice: pd.DataFrame | None, share: tuple[float, float, float] | None, settings: Settings
) -> tuple[ResultSheet, ...]:
    """How packages fit, and the advice by rider; `advice` also has consent. None = not asked."""
    return _fit(advice, share, settings), _by_rider(advice, settings)


def trial_sheets(trial: Trial | None, settings: Settings) -> tuple[ResultSheet, ...]:
    """What the packages on trial would change, and where riders would go. None = not asked."""
    return _changes(trial, settings), _moves(trial, settings)


def _fit(
    advice: pd.DataFrame | None, share: tuple[float, float, float] | None, settings: Settings
) -> ResultSheet:
    rows = []
    note = "By present package; not asked yet."
    if advice is not None:
        groups = advice.assign(package=advice["package"].fillna(_NONE)).groupby("package")
        table = groups.agg(
            riders=("rider_id", "size"), wrong=("wrong", "sum"), km=("km", "mean"),
            cost=("cost_now", "mean"), best=("cost_advised", "mean"), margin=("margin_now", "mean"),
            margin_then=("margin_advised", "mean"),
        ).reset_index()  # fmt: skip
        table["wrong_pct"] = 100.0 * table["wrong"] / table["riders"]
        figures = ("wrong", "wrong_pct", "km", "cost", "best", "margin", "margin_then")
        table = blanked(table, too_few(table["wrong"], settings), ("wrong",))
        table = without_small(table, "riders", figures, settings)
        rows = rows_of(table, ("package", "riders", *figures))
        note = (
            f"{share[0]:.0f} % of riders with a package are in the wrong one "
            f"({share[1]:.0f} to {share[2]:.0f} %, 95 %)."
            if share
            else "Too few riders hold a package that is on offer."
        )
    money = settings.city.currency
    return ResultSheet(
        sheet="Package fit",
        title=f"Who is in the wrong package: {settings.city.name}",
        note=note,
        table_name="PackageFit",
        columns=(
            ResultColumn(_NOW, CellStyle.TEXT, 20),
            ResultColumn(_RIDERS, CellStyle.INTEGER, 9, "Empty = too few to show."),
            ResultColumn(
                _WRONG, CellStyle.INTEGER, 11,
                f"Another would save {settings.package_advice.least_saving:g} {money} a month, now "
                "or when it may be advised, or theirs leaves too little margin; empty = too few.",
            ),
            ResultColumn("Wrong (%)", CellStyle.PERCENT, 10),
            ResultColumn("Km a month, mean", CellStyle.DECIMAL, 12),
            ResultColumn(f"Pays a month ({money})", CellStyle.MONEY, 13),
            ResultColumn(f"As advised ({money})", CellStyle.MONEY, 13, "Mean, what may be now."),
            ResultColumn(f"Margin a month ({money})", CellStyle.MONEY, 13),
            ResultColumn(f"Margin then ({money})", CellStyle.MONEY, 13),
        ),
        rows=rows,
        key=_NOW,
        charts=(
            Chart(
                ChartKind.COLUMN, "Riders, and those in the wrong package", _NOW, "Riders", "",
                _NOW, (Series(_RIDERS, palette().category(0)), Series(_WRONG, palette().alert)),
                note,
            ),
        ),
    )  # fmt: skip


def _by_rider(advice: pd.DataFrame | None, settings: Settings) -> ResultSheet:
    rows = []
    if advice is not None:
        shown = listed(advice, settings)
        shown = shown.sort_values(["saving", "rider_id"], ascending=[False, True])
        rows = rows_of(shown, _ADVICE)
    money = settings.city.currency
    return ResultSheet(
        sheet="Package advice by rider",
        title="Which package suits each rider, and why",
        note=hidden_note(settings)
        or "Advised = least expected cost to the rider that leaves the margin asked for.",
        table_name="PackageAdviceByRider",
        columns=(
            ResultColumn("Rider", CellStyle.TEXT, 18),
            ResultColumn("Package now", CellStyle.TEXT, 16),
            ResultColumn("Advised", CellStyle.TEXT, 16),
            ResultColumn("Km a month", CellStyle.DECIMAL, 10, "Expected."),
            ResultColumn("Swaps a month", CellStyle.DECIMAL, 9, "Expected."),
            ResultColumn(f"Pays now ({money})", CellStyle.MONEY, 11, "Expected, a month."),
            ResultColumn(f"Would pay ({money})", CellStyle.MONEY, 11),
            ResultColumn(f"Saves ({money})", CellStyle.MONEY, 11),
            ResultColumn(f"Margin now ({money})", CellStyle.MONEY, 11),
            ResultColumn(f"Margin then ({money})", CellStyle.MONEY, 11),
            ResultColumn(
                "Discount room (%)", CellStyle.PERCENT, 10, "Down to floor or largest discount."
            ),
            ResultColumn("By the rule", CellStyle.TEXT, 16, "Limits with buffers."),
            ResultColumn("By newsvendor", CellStyle.TEXT, 16, "As often as usage gets there."),
            ResultColumn("By similar riders", CellStyle.TEXT, 16),
            ResultColumn("By hidden factors", CellStyle.TEXT, 16, "Matrix factorisation."),
            ResultColumn("Why", CellStyle.WRAPPED, 50),
        ),
        rows=rows,
        key="Rider",
    )  # fmt: skip


def _changes(trial: Trial | None, settings: Settings) -> ResultSheet:
    money = settings.city.currency
    least = settings.riders.smallest_group
    rows = [
        (c.name, money if c.unit == "money" else c.unit,
         *((None,) * 5 if c.name == _MOVED and 0 < c.after < least else _figures(c)))
        for c in (trial.figures if trial else ())
    ]  # fmt: skip
    advice = settings.package_advice
    return ResultSheet(
        sheet="Package what-if",
        title="What the packages on trial would change",
        note=(
            f"{trial.riders} riders with a package, a month; the interval holds 90 %. They move "
            f"when they save {advice.least_saving:g} {money} more than today; "
            f"{advice.churn_response_pct:g} % more "
            "churn for each 1 % dearer."
            if trial
            else "Write packages on the sheet Package trial; not asked yet."
        ),
        table_name="PackageWhatIf",
        columns=(
            ResultColumn("Figure", CellStyle.TEXT, 28),
            ResultColumn("Unit", CellStyle.TEXT, 9),
            ResultColumn("Now", CellStyle.NUMBER, 13, "Empty = too few riders to show."),
            ResultColumn("On trial", CellStyle.NUMBER, 13),
            ResultColumn("Difference", CellStyle.NUMBER, 13),
            ResultColumn("From", CellStyle.NUMBER, 13, "Of the difference."),
            ResultColumn("To", CellStyle.NUMBER, 13, "Of the difference."),
        ),
        rows=rows,
        key="Figure",
    )


def _figures(change: Change) -> tuple[float, ...]:
    """Riders who move are counted, one by one; all else is an expectation, with fractions."""
    found = change.before, change.after, change.difference, change.low, change.high
    counted = change.name == _MOVED
    return tuple(round(one) if counted and isfinite(one) else one for one in found)


def _moves(trial: Trial | None, settings: Settings) -> ResultSheet:
    import pandas as pd

    moves = pd.DataFrame(trial.moves if trial else (), columns=["name", "now", "then"])
    for when in ("now", "then"):
        moves = blanked(moves, too_few(moves[when].astype(int), settings), (when,))
    colours = palette()
    return ResultSheet(
        sheet="Package moves",
        title="Riders by package, now and on trial",
        note="Those who would move for what they save; empty = too few to show.",
        table_name="PackageMoves",
        columns=(
            ResultColumn(_NOW, CellStyle.TEXT, 22),
            ResultColumn("Riders now", CellStyle.INTEGER, 11),
            ResultColumn("Riders on trial", CellStyle.INTEGER, 11),
        ),
        rows=rows_of(moves, ("name", "now", "then")),
        key=_NOW,
        charts=(
            Chart(
                ChartKind.COLUMN, "Where riders would go", _NOW, "Riders", "", _NOW,
                (
                    Series("Riders now", colours.category(0)),
                    Series("Riders on trial", colours.category(1)),
                ),
            ),
        ),
    )  # fmt: skip
