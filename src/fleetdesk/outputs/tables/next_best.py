"""The sheets Next best action and Rider answers: what to do for whom, and the guide's questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.tables.frames import hidden_note, listed, rows_of, too_few
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet

if TYPE_CHECKING:
    import pandas as pd

_LIST = (
    "rank", "rider_id", "segment", "package", "risk_pct", "value", "months_counted", "action",
    "offer", "cost", "gain", "low", "high", "in_budget", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """One question with its answer; figures are None where only words can be given."""

    question: str
    about: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    words: str


def next_best_sheets(
    actions: pd.DataFrame | None, told: Sequence[Told], settings: Settings
) -> tuple[ResultSheet, ...]:
    """Actions by rider, actions in all, and the answers. None = not asked yet."""
    return (_list(actions, settings), _totals(actions, settings), _answers(told, settings))


def _list(actions: pd.DataFrame | None, settings: Settings) -> ResultSheet:
    rows = []
    if actions is not None:
        within = actions["in_budget"].astype(bool).map({True: "yes", False: ""})
        rows = rows_of(listed(actions.assign(in_budget=within), settings), _LIST)
    money, budget = settings.city.currency, settings.next_best.budget
    return ResultSheet(
        sheet="Next best action",
        title=f"What to do for whom: {settings.city.name}",
        note=hidden_note(settings)
        or f"Most gain per {money} first until the budget of {budget:,.0f} {money} is spent.",
        table_name="NextBestAction",
        columns=(
            ResultColumn("Rank", CellStyle.INTEGER, 7),
            ResultColumn("Rider", CellStyle.TEXT, 18),
            ResultColumn("Segment", CellStyle.TEXT, 14),
            ResultColumn("Package", CellStyle.TEXT, 16),
            ResultColumn("Risk to leave (%)", CellStyle.PERCENT, 10),
            ResultColumn(f"Value ({money})", CellStyle.MONEY, 11, "Margin still to come."),
            ResultColumn(
                "Months counted",
                CellStyle.DECIMAL,
                10,
                "The value is over these; for trips no more than the records reach back.",
            ),
            ResultColumn("Action", CellStyle.WRAPPED, 36),
            ResultColumn("Offer", CellStyle.TEXT, 18),
            ResultColumn(f"Cost ({money})", CellStyle.MONEY, 10),
            ResultColumn(f"Gain ({money})", CellStyle.MONEY, 10, "Expected, less the cost."),
            ResultColumn("From", CellStyle.MONEY, 10),
            ResultColumn("To", CellStyle.MONEY, 10),
            ResultColumn("In the budget", CellStyle.TEXT, 9),
            ResultColumn("Why", CellStyle.WRAPPED, 50),
        ),
        rows=rows,
        key="Rider",
    )


def _totals(actions: pd.DataFrame | None, settings: Settings) -> ResultSheet:
    money, least = settings.city.currency, settings.riders.smallest_group
    rows = []
    if actions is not None and len(actions):
        paid = actions[actions["in_budget"].astype(bool)]
        table = paid.groupby("action", sort=True).agg(
            riders=("rider_id", "size"), cost=("cost", "sum"), gain=("gain", "sum")
        ).reset_index()  # fmt: skip
        few = too_few(table["riders"], settings)
        rest = table.loc[few, ["riders", "cost", "gain"]].sum()
        table = table[~few]
        if rest["riders"] >= least:
            table.loc[len(few)] = {"action": "other", **rest.to_dict()}
        table = table.sort_values(["gain", "action"], ascending=[False, True])
        rows = rows_of(table, ("action", "riders", "cost", "gain"))
    return ResultSheet(
        sheet="Next best totals",
        title="What the budget buys",
        note=f"Actions within the budget; those for fewer than {least} riders as one, or not.",
        table_name="NextBestTotals",
        columns=(
            ResultColumn("Action", CellStyle.TEXT, 44),
            ResultColumn("Riders", CellStyle.INTEGER, 9),
            ResultColumn(f"Cost ({money})", CellStyle.MONEY, 11),
            ResultColumn(f"Gain ({money})", CellStyle.MONEY, 11),
        ),
        rows=rows,
        key="Action",
        charts=(
            Chart(
                ChartKind.BAR, "What the budget buys", "Action", "Gain", money, "Action",
                (Series(f"Gain ({money})", palette().category(2)),),
            ),
        ),
    )  # fmt: skip


def _answers(told: Sequence[Told], settings: Settings) -> ResultSheet:
    return ResultSheet(
        sheet="Rider answers",
        title=f"Five questions about riders: {settings.city.name}",
        note="Each answer with its 95 % interval where one can be given.",
        table_name="RiderAnswers",
        columns=(
            ResultColumn("Question", CellStyle.WRAPPED, 44),
            ResultColumn("Of", CellStyle.TEXT, 24),
            ResultColumn("Answer", CellStyle.DECIMAL, 12),
            ResultColumn("From", CellStyle.DECIMAL, 10),
            ResultColumn("To", CellStyle.DECIMAL, 10),
            ResultColumn("Unit", CellStyle.TEXT, 12),
            ResultColumn("In words", CellStyle.WRAPPED, 50),
        ),
        rows=[(t.question, t.about, t.value, t.low, t.high, t.unit, t.words) for t in told],
    )
